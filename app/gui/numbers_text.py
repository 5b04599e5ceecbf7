"""The meters of this moment as text, to be pasted into a table."""

from __future__ import annotations

from app.decoder_display import beta_text, display_title, three_digits
from app.session import Session


def numbers_as_text(session: Session) -> str:
    """Lines with tabs: what was read with what, then jitter and bias of each decoder, then latency by stage."""
    snapshot, choice = session.board.read(), session.choice
    what = [session.source.name, session.network.label, session.device_label]
    if len(snapshot.people) > 1:
        what.append(f"person {snapshot.person}")
    lines = [" · ".join(part for part in what if part)]
    lines.append("decoder\tβ\tjitter px\tjitter % of body\tbias px\tbias % of body\tshown")
    for name, jitter in snapshot.jitter.overall.items():
        numbers = (
            jitter,
            100 * snapshot.jitter.body_share[name],
            snapshot.bias.overall[name],
            100 * snapshot.bias.body_share[name],
        )
        beta = beta_text(name, choice.beta).removeprefix("β ")
        shown = "yes" if name == choice.name else ""
        lines.append("\t".join((display_title(name), beta, *map(three_digits, numbers), shown)))
    lines.append("latency ms\tp50\tp95\tp99\tmax")
    for stage, spread in snapshot.latency.items():
        numbers = (spread.p50, spread.p95, spread.p99, spread.max)
        lines.append("\t".join((stage, *map(three_digits, numbers))))
    return "\n".join(lines) + "\n"
