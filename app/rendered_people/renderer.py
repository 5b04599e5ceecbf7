"""OpenGL without a display: EGL, with Mesa's software rasteriser where there is no GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import moderngl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.errors import UserError
from app.rendered_people.body import skinned, skinned_normals
from app.rendered_people.camera import Camera, look_at, parallel_projection
from app.rendered_people.garments import Dressed
from app.rendered_people.meshes import Faces, Material
from app.rendered_people.regions import face_mask
from app.rendered_people.rotations import Array, unit
from app.rendered_people.scenery import Thing, by_material

Color = tuple[float, float, float]

_SHADERS = Path(__file__).parent / "shaders"
_LIGHT_SIZE, _SKY_SIZE = 2048, 512  # of the shadow maps, texels
_LIGHT_AWAY, _LIGHT_FAR = 6.0, 12.0  # m
_BRIGHTEST = 4.0  # of linear light; brighter highlights would leave jagged edges
_FIRST_OF_SCENERY = Material.PARQUET
_HEADLESS: dict[str, Any] = {"backend": "egl"}  # its stubs would take dictionaries only


@dataclass(frozen=True)
class Looks:
    """Colours in linear light. shirt_pattern: see shaders/person.frag."""

    skin: Color = (0.58, 0.345, 0.245)
    hair: Color = (0.045, 0.028, 0.018)
    shirt: Color = (0.05, 0.16, 0.33)
    shirt_second: Color = (0.05, 0.16, 0.33)
    shirt_pattern: int = 0
    trousers: Color = (0.05, 0.055, 0.075)
    shoes: Color = (0.17, 0.17, 0.18)
    stubble: float = 0.45


@dataclass(frozen=True)
class Light:
    """to_light: direction. centre, reach: what the shadow maps cover, a square of twice the reach in metres.

    lit_outside: whether there is light beyond them; in the clip's room their border goes on.
    """

    to_light: Color = (-0.52, -0.80, 1.05)
    color: Color = (1.02, 0.93, 0.82)
    ambient: Color = (0.30, 0.315, 0.34)
    centre: Color = (0.0, 0.0, 0.9)
    reach: float = 2.6
    lit_outside: bool = False
    wall: Color = (0.50, 0.48, 0.43)


@dataclass(frozen=True, eq=False)
class Actor:
    """Somebody in the scene, numbered from 1 in their order."""

    dressed: Dressed
    transforms: Array
    looks: Looks = field(default_factory=Looks)


@dataclass(frozen=True, eq=False)
class Rendered:
    """light: (H, W, 3) linear RGB. depth: (H, W) metres along the view. owner: (H, W), 0 or an actor's number."""

    light: NDArray[np.float32]
    depth: NDArray[np.float64]
    owner: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Drawable:
    material: Material
    surface: moderngl.VertexArray
    shadow: moderngl.VertexArray
    uniforms: dict[str, Any]


class Renderer:
    """One size of picture. Call `close`, or use it in a with statement.

    Raises UserError where OpenGL cannot be started.
    """

    def __init__(self, width: int, height: int, supersampling: int = 2) -> None:
        self._size = (width, height)
        self._times = supersampling
        # What is made for one picture is released after it; the rest with the context.
        self._context = context = _context()
        self._person = _program(context, "person.frag", with_common=True)
        self._scenery = _program(context, "scenery.frag", with_common=True)
        self._shadow = _program(context, "shadow.frag", with_common=False)
        size = (width * supersampling, height * supersampling)
        self._color = context.texture(size, 4, dtype="f2")
        self._depth = context.depth_texture(size)
        self._picture = context.framebuffer([self._color], self._depth)
        self._maps = [context.depth_texture((side, side)) for side in (_LIGHT_SIZE, _SKY_SIZE)]
        self._map_buffers = [context.framebuffer(depth_attachment=texture) for texture in self._maps]
        for texture in self._maps:
            texture.compare_func = ""
            texture.repeat_x = texture.repeat_y = False
        self._masks = _mask_texture(context)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._context.release()

    def render(
        self,
        camera: Camera,
        actors: Sequence[Actor],
        things: Sequence[Thing],
        light: Light,
        backdrop: NDArray[np.float32] | None = None,
    ) -> Rendered:
        """backdrop: (H, W, 3) linear RGB behind everything."""
        assert (camera.width, camera.height) == self._size
        with self._drawables(actors, things) as drawables:
            light_views = self._shadows(light, drawables)
            self._surfaces(camera, light, light_views, drawables)
        return self._read(camera, backdrop)

    # One picture

    @contextmanager
    def _drawables(self, actors: Sequence[Actor], things: Sequence[Thing]) -> Iterator[list[_Drawable]]:
        made: list[_Drawable] = []
        held: list[Any] = []
        for number, actor in enumerate(actors, 1):
            uniforms = _uniforms(actor) | {"owner": float(number)}
            for mesh in actor.dressed.meshes:
                points = skinned(mesh.weights, actor.transforms, mesh.rest)
                normals = skinned_normals(mesh.weights, actor.transforms, mesh.normals)
                columns = (points, normals, mesh.rest, mesh.texture, mesh.regions)
                made.append(self._drawable(mesh.material, columns, mesh.faces, uniforms, held))
        for material, group in by_material(things):
            starts = np.cumsum([0, *(len(thing.points) for thing in group)])
            faces = np.concatenate([thing.faces + start for thing, start in zip(group, starts, strict=False)])
            points = np.concatenate([thing.points for thing in group])
            columns = (
                points,
                np.concatenate([thing.normals for thing in group]),
                points,
                np.concatenate([thing.texture for thing in group]),
                np.concatenate([np.tile(thing.paint, (len(thing.points), 1)) for thing in group]),
            )
            made.append(self._drawable(material, columns, faces, {"owner": 0.0}, held))
        try:
            yield made
        finally:
            for thing in held:
                thing.release()

    def _drawable(
        self, material: Material, columns: Sequence[Array], faces: Faces, uniforms: dict[str, Any], held: list[Any]
    ) -> _Drawable:
        vertices = self._context.buffer(np.concatenate(columns, 1).astype("f4").tobytes())
        indices = self._context.buffer(faces.astype("i4").tobytes())
        surface, shadow = (
            self._context.vertex_array(program, [_layout(program, vertices)], indices)
            for program in (self._program(material), self._shadow)
        )
        held += [surface, shadow, vertices, indices]
        return _Drawable(material, surface, shadow, uniforms)

    def _program(self, material: Material) -> moderngl.Program:
        return self._person if material < _FIRST_OF_SCENERY else self._scenery

    def _shadows(self, light: Light, drawables: Sequence[_Drawable]) -> tuple[Array, Array]:
        """Draws the depth that the lamp and the sky above see; returns their views."""
        centre = np.array(light.centre, float)
        views = []
        context = self._context
        context.enable(moderngl.DEPTH_TEST)
        context.disable(moderngl.CULL_FACE)
        for buffer, direction in zip(self._map_buffers, (light.to_light, (0.05, -0.25, 1)), strict=True):
            eye = centre + unit(direction) * _LIGHT_AWAY
            view = parallel_projection(light.reach, 0.1, _LIGHT_FAR) @ look_at(eye, centre)
            views.append(view)
            buffer.use()
            buffer.clear(depth=1.0)
            _set(self._shadow, view_projection=view)
            for drawable in drawables:
                # Floor and walls are behind everything.
                if drawable.material not in (Material.PARQUET, Material.WALL):
                    _set(self._shadow, material=int(drawable.material))
                    drawable.shadow.render()
        return views[0], views[1]

    def _surfaces(
        self, camera: Camera, light: Light, views: tuple[Array, Array], drawables: Sequence[_Drawable]
    ) -> None:
        self._picture.use()
        self._picture.clear(0.5, 0.5, 0.5, 0.0, depth=1.0)
        for place, texture in enumerate((*self._maps, self._masks)):
            texture.use(place)
        for program in (self._person, self._scenery):
            _set(
                program,
                view_projection=camera.view_projection,
                light_view=views[0],
                sky_view=views[1],
                light_depth=0,
                sky_depth=1,
                masks=2,
                eye=camera.eye,
                to_light=tuple(unit(light.to_light)),
                light_color=light.color,
                ambient=light.ambient,
                wall_color=light.wall,
                lit_outside=light.lit_outside,
            )
        for drawable in drawables:
            _set(self._program(drawable.material), material=int(drawable.material), **drawable.uniforms)
            drawable.surface.render()

    def _read(self, camera: Camera, backdrop: NDArray[np.float32] | None) -> Rendered:
        (width, height), times = self._size, self._times
        shape = (height * times, width * times)
        pixels = np.frombuffer(self._color.read(), "f2").reshape(*shape, 4)[::-1]
        buffer = np.frombuffer(self._depth.read(), "f4").reshape(shape)[::-1]
        light = np.minimum(pixels[..., :3].astype(np.float32), _BRIGHTEST)
        if backdrop is not None:
            large = backdrop.repeat(times, 0).repeat(times, 1)
            light = np.where(buffer[..., None] == 1, large, light)
        light = light.reshape(height, times, width, times, 3).mean((1, 3))
        # Depth and owner cannot be averaged: those next to the pixel's centre.
        sample = slice(times // 2, None, times)
        depth = camera.metres(buffer[sample, sample].astype(float))
        return Rendered(light, depth, np.rint(pixels[sample, sample, 3].astype(float)).astype(np.int64))


def _context() -> moderngl.Context:
    try:
        return moderngl.create_context(require=330, standalone=True, **_HEADLESS)
    # It raises nothing more narrow, whether the library is missing or the device.
    except Exception as error:
        raise UserError(
            f"No renderer for people: OpenGL 3.3 by EGL cannot be started here ({error}); on Debian or Ubuntu "
            "“apt install libegl1” brings one that needs no GPU."
        ) from error


def _program(context: moderngl.Context, name: str, *, with_common: bool) -> moderngl.Program:
    numbers = "".join(f"#define {material.name} {int(material)}\n" for material in Material)
    # Softness of the shadows as shares of their maps, and how much nearer an obstacle must be.
    numbers += "#define SHADOW_RADIUS .006\n#define SHADOW_BIAS .0035\n#define SKY_RADIUS .035\n#define SKY_BIAS .006\n"
    common = (_SHADERS / "common.glsl").read_text("utf-8") if with_common else ""
    return context.program(
        vertex_shader="#version 330\n" + (_SHADERS / "surface.vert").read_text("utf-8"),
        fragment_shader="#version 330\n" + numbers + common + (_SHADERS / name).read_text("utf-8"),
    )


def _mask_texture(context: moderngl.Context) -> moderngl.Texture:
    side = 1024
    masks = [
        np.asarray(Image.fromarray(np.rint(face_mask(name) * 255).astype(np.uint8)).resize((side, side)))
        for name in ("lips", "ears", "eyelids")
    ]
    texture = context.texture((side, side), 3, np.stack(masks, 2).tobytes())
    texture.build_mipmaps()
    return texture


def _layout(program: moderngl.Program, vertices: moderngl.Buffer) -> tuple[Any, ...]:
    """What of each vertex this program reads; the compiler drops attributes that are not used."""
    formats, names = [], []
    for name, count in (("point", 3), ("normal", 3), ("rest", 3), ("texture_place", 2), ("region", 4)):
        if name in program:
            names.append(name)
            formats.append(f"{count}f")
        else:
            formats.append(f"{4 * count}x")
    return (vertices, " ".join(formats), *names)


def _uniforms(actor: Actor) -> dict[str, Any]:
    looks, dressed = actor.looks, actor.dressed
    skeleton = dressed.body.skeleton
    return {
        "skin_color": looks.skin,
        "hair_color": looks.hair,
        "shirt_color": looks.shirt,
        "shirt_second": looks.shirt_second,
        "shirt_pattern": looks.shirt_pattern,
        "trousers_color": looks.trousers,
        "shoe_color": looks.shoes,
        "stubble": looks.stubble,
        "head_centre": tuple(dressed.head_centre),
        "left_eye": tuple(skeleton.head("eye.L")),
        "right_eye": tuple(skeleton.head("eye.R")),
        "sole": dressed.floor,
    }


def _set(program: moderngl.Program, **uniforms: Any) -> None:
    for name, value in uniforms.items():
        if name in program:
            uniform = cast(moderngl.Uniform, program[name])
            if isinstance(value, np.ndarray):
                # OpenGL reads matrices column by column.
                uniform.write(value.T.astype("f4").tobytes())
            else:
                uniform.value = value
