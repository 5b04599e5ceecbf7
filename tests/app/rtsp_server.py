"""A small RTSP server on loopback: OPTIONS, DESCRIBE, SETUP (interleaved in TCP only), PLAY and TEARDOWN.

Its RTP packets come from FFmpeg's own muxer; what is served is the live stream of `servers`.
"""

from __future__ import annotations

import re
import select
import socket
import struct
from contextlib import closing

from tests.app.servers import LiveServer, PacketMuxer, read_head

_PACKET_SIZE = 1200
_SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=Test
c=IN IP4 0.0.0.0
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
a=control:video
"""


class RtspServer(LiveServer):
    scheme = "rtsp"
    path = "door"

    def handle(self, connection: socket.socket) -> None:
        while (head := read_head(connection)) and self.wait_while_silent():
            method = head.split()[0]
            sequence = re.search(r"CSeq: *([0-9]+)", head, re.IGNORECASE)
            assert sequence is not None
            reply, body = [f"CSeq: {sequence[1]}", "Session: 12345678"], ""
            match method:
                case "OPTIONS":
                    reply += ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
                case "DESCRIBE":
                    body = _SDP.replace("\n", "\r\n")
                    reply += ["Content-Type: application/sdp", f"Content-Base: {self.url()}/"]
                case "SETUP":
                    reply += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
            reply += [f"Content-Length: {len(body)}"]
            connection.sendall("\r\n".join(["RTSP/1.0 200 OK", *reply, "", body]).encode())
            if method == "PLAY":
                self._play(connection)
            if method in ("PLAY", "TEARDOWN"):
                return

    def _play(self, connection: socket.socket) -> None:
        def send(packet: bytes) -> None:
            is_rtcp = 200 <= packet[1] <= 204
            connection.sendall(struct.pack(">cBH", b"$", is_rtcp, len(packet)) + packet)

        with closing(PacketMuxer(send, "rtp", rate=self.rate, packet_size=_PACKET_SIZE)) as muxer:
            for number in self.numbers():
                muxer.mux(number)
                # What the client says (its reports, TEARDOWN) is not needed, but must not fill up.
                while select.select([connection], [], [], 0)[0]:
                    if not connection.recv(4096):
                        return
