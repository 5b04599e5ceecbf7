in vec3 world;
in vec3 world_normal;
in vec3 at_rest;
in vec2 place;
in vec4 regions;
out vec4 color;  // linear RGB, and whose pixel it is

uniform int material;
uniform float owner;
uniform vec3 eye;
uniform vec3 to_light;
uniform vec3 light_color;
uniform vec3 ambient;
uniform mat4 light_view;
uniform mat4 sky_view;
uniform sampler2D light_depth;
uniform sampler2D sky_depth;
uniform bool lit_outside;  // what the maps of the shadows do not cover

// Noise

float hash(vec3 p) {
    p = fract(p * .3183099 + vec3(.1, .2, .3));
    p *= 17.;
    return fract(p.x * p.y * p.z * (p.x + p.y + p.z));
}

// Value noise, 0 to 1, one cell per unit.
float noise(vec3 p) {
    vec3 cell = floor(p), f = fract(p);
    f = f * f * (3. - 2. * f);
    vec4 low = vec4(hash(cell), hash(cell + vec3(1, 0, 0)), hash(cell + vec3(0, 1, 0)), hash(cell + vec3(1, 1, 0)));
    cell.z += 1.;
    vec4 high = vec4(hash(cell), hash(cell + vec3(1, 0, 0)), hash(cell + vec3(0, 1, 0)), hash(cell + vec3(1, 1, 0)));
    vec4 along_z = mix(low, high, f.z);
    vec2 along_x = mix(along_z.xz, along_z.yw, f.x);
    return mix(along_x.x, along_x.y, f.y);
}

float octaves(vec3 p) {
    return .5 * noise(p) + .25 * noise(p * 2.03) + .125 * noise(p * 4.1) + .0625 * noise(p * 8.2);
}

// Light

// The share of nine points around this one, on a golden spiral, that the light reaches.
float reached(sampler2D depths, mat4 view, float radius, float bias) {
    vec4 seen = view * vec4(world + normalize(world_normal) * .006, 1);
    vec3 at = seen.xyz / seen.w * .5 + .5;
    vec3 from_middle = abs(at - .5);
    if (lit_outside && max(max(from_middle.x, from_middle.y), from_middle.z) > .5 - radius) return 1.;
    float phase = hash(world * 917.) * 6.28;
    float share = 0.;
    for (int i = 0; i < 9; i++) {
        float angle = float(i) * 2.4 + phase;
        vec2 off = vec2(cos(angle), sin(angle)) * radius * sqrt((float(i) + .5) / 9.);
        share += step(at.z - bias, texture(depths, at.xy + off).r);
    }
    return share / 9.;
}

struct Surface {
    vec3 albedo;
    vec3 normal;
    float gloss;      // share that is mirrored at right angles
    float sharpness;  // of the highlight
    float wrap;       // light that creeps around the edge, in skin
    float rim;        // 1: mirrors the sky at grazing angles
};

Surface matt(vec3 albedo, vec3 normal) {
    return Surface(albedo, normal, .02, 20., 0., 0.);
}

// One lamp with shadows, a sky that is darker in corners, and a weak fill from the side.
vec3 lit(Surface s) {
    vec3 to_eye = normalize(eye - world);
    float shadow = reached(light_depth, light_view, SHADOW_RADIUS, SHADOW_BIAS);
    float open_sky = reached(sky_depth, sky_view, SKY_RADIUS, SKY_BIAS);
    float facing = dot(s.normal, to_light);
    float diffuse = max((facing + s.wrap) / (1. + s.wrap), 0.);
    vec3 reddened = vec3(diffuse, diffuse * diffuse * .3 + diffuse * .7, diffuse * diffuse * .4 + diffuse * .6);
    vec3 lamp = light_color * (s.wrap > 0. ? reddened : vec3(diffuse)) * shadow;
    float grazing = s.gloss + (1. - s.gloss) * pow(1. - clamp(dot(to_eye, s.normal), 0., 1.), 5.) * .35;
    vec3 halfway = normalize(to_light + to_eye);
    float highlight = pow(max(dot(s.normal, halfway), 0.), s.sharpness) * (s.sharpness + 8.) / 25. * grazing;
    float up = s.normal.z * .5 + .5;
    vec3 sky = ambient * mix(vec3(.62, .52, .44), vec3(1., 1.02, 1.06), up) * mix(.42, 1., open_sky);
    vec3 fill = max(dot(s.normal, normalize(vec3(.8, -.6, .25))), 0.) * .28 * vec3(.8, .9, 1.) * mix(.6, 1., open_sky);
    return s.albedo * (lamp + sky + fill) + light_color * highlight * max(facing, 0.) * shadow
        + s.rim * grazing * ambient * .25 * up;
}
