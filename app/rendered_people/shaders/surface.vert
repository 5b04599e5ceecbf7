// Points are in the world already: the skinning is done before.
uniform mat4 view_projection;
in vec3 point;
in vec3 normal;
in vec3 rest;
in vec2 texture_place;
in vec4 region;
out vec3 world;
out vec3 world_normal;
out vec3 at_rest;
out vec2 place;
out vec4 regions;

void main() {
    world = point;
    world_normal = normal;
    at_rest = rest;
    place = texture_place;
    regions = region;
    gl_Position = view_projection * vec4(point, 1);
}
