uniform vec3 skin_color;
uniform vec3 hair_color;
uniform vec3 shirt_color;
uniform vec3 shirt_second;
uniform int shirt_pattern;  // 0 plain, 1 stripes, 2 checks, 3 a band, 4 patches
uniform vec3 trousers_color;
uniform vec3 shoe_color;
uniform vec3 head_centre;  // at rest, as all below
uniform vec3 left_eye;
uniform vec3 right_eye;
uniform float sole;
uniform float stubble;
uniform sampler2D masks;  // lips, ears, eyelids

float spot(vec3 p, vec3 centre, float size) {
    return exp(-dot(p - centre, p - centre) / size);
}

Surface eyeball(vec3 normal) {
    vec3 outwards = normalize(at_rest - (at_rest.x > 0. ? left_eye : right_eye));
    float angle = acos(clamp(dot(outwards, vec3(0, -1, 0)), -1., 1.));
    vec3 albedo = mix(vec3(.50, .46, .44), vec3(.16, .09, .045), smoothstep(.50, .44, angle));
    albedo = mix(albedo, vec3(.01), smoothstep(.22, .18, angle)) * .85;
    return Surface(albedo, normal, .35, 200., 0., 1.);
}

Surface skin(vec3 normal) {
    vec3 mask = texture(masks, vec2(place.x, 1. - place.y)).rgb;
    vec3 albedo = skin_color * (.90 + .22 * octaves(at_rest * 34.));
    albedo *= mix(vec3(1), vec3(1.03, .97, .95), octaves(at_rest * 9.));
    vec3 q = at_rest - head_centre;
    float head = step(-.22, q.z);
    float cheeks = spot(vec3(abs(q.x), q.yz), vec3(.045, -.09, -.055), .0009) * head;
    float nose = spot(q, vec3(0, -.13, -.045), .0005) * head;
    albedo = mix(albedo, albedo * vec3(1.05, .78, .74), .7 * max(cheeks, nose));
    albedo = mix(albedo, skin_color * vec3(.80, .50, .48), mask.r * .75);
    albedo = mix(albedo, albedo * vec3(1.04, .85, .80), mask.g * .8);
    albedo = mix(albedo, albedo * vec3(.8, .70, .68), mask.b * .55);
    // Brows
    float brow_x = abs(q.x) - abs(left_eye.x - head_centre.x) - .004;
    float brow_z = at_rest.z - left_eye.z - .026 + brow_x * brow_x * 9. - brow_x * .06;
    float brow = smoothstep(.0055, .002, abs(brow_z)) * smoothstep(.027, .020, abs(brow_x)) * step(q.y, -.03) * head;
    albedo = mix(albedo, hair_color * 1.4, brow * .85);
    // Lashes
    vec3 from_eye = at_rest - vec3(at_rest.x > 0. ? left_eye.x : right_eye.x, left_eye.yz);
    float lashes = smoothstep(.021, .016, length(from_eye.xz * vec2(1., 1.6))) * step(q.y, -.04) * head;
    albedo = mix(albedo, albedo * .55, lashes * .7);
    float beard = smoothstep(-.07, -.10, q.z) * smoothstep(-.2, -.12, q.z) * smoothstep(0., -.05, q.y) * head;
    albedo = mix(albedo, albedo * vec3(.80, .80, .84), beard * (1. - mask.r) * stubble);
    // The scalp is darker under the hair, but ears are not.
    float scalp = smoothstep(-.012, .006, regions.y) * (1. - regions.z);
    albedo = mix(albedo, hair_color * 1.3, scalp * (.8 + .4 * noise(at_rest * 500.)));
    return Surface(albedo, normal, .035, 14., .22, 1.);
}

Surface hair(vec3 normal) {
    float ragged = (noise(at_rest * vec3(220., 220., 60.)) - .5) * .02 + (noise(at_rest * 90.) - .5) * .012;
    if (regions.x + ragged < 0.) discard;
    float strands = noise(at_rest * vec3(420., 60., 60.));
    vec3 albedo = hair_color * (.55 + .9 * strands) * (.7 + .6 * octaves(at_rest * 40.));
    vec3 bumps = vec3(noise(at_rest * 260.), noise(at_rest * 260. + 7.), noise(at_rest * 260. + 13.)) - .5;
    return Surface(albedo, normalize(normal + .55 * bumps), .05, 18., 0., 1.);
}

vec3 bumps(vec3 p, float middle) {
    return vec3(octaves(p + 3.), octaves(p + 9.), octaves(p + 17.)) - middle;
}

vec3 shirt_paint() {
    float second = 0.;
    if (shirt_pattern == 1) second = step(.5, fract(at_rest.z * 14.));
    if (shirt_pattern == 2) second = .5 * (step(.5, fract(at_rest.z * 11.)) + step(.5, fract(at_rest.x * 11. + .25)));
    if (shirt_pattern == 3) second = step(abs(at_rest.z - head_centre.z + .42), .06);
    if (shirt_pattern == 4) second = smoothstep(.46, .50, octaves(at_rest * 12.));
    return mix(shirt_color, shirt_second, second);
}

Surface cloth(vec3 normal) {
    if (regions.x < 0.) discard;
    float fold = octaves(at_rest * vec3(14., 14., 9.));
    vec3 scale = material == SHIRT ? vec3(9., 9., 17.) : vec3(16., 16., 8.);
    vec3 creases = bumps(at_rest * scale, .47) + .35 * bumps(at_rest * 41., .47);
    Surface s = matt(vec3(.5), normalize(normal + creases * (material == SHOES ? .1 : 1.35)));
    s.rim = 1.;
    if (material == SHIRT) {
        s.albedo = shirt_paint() * (.86 + .28 * octaves(at_rest * 300.)) * (.9 + .2 * fold);
        s.albedo *= mix(.7, 1., smoothstep(0., .006, abs(regions.x - .02)));
        s.gloss = .01;
    } else if (material == TROUSERS) {
        s.albedo = trousers_color * (.8 + .4 * noise(at_rest * vec3(700., 700., 350.))) * (.85 + .3 * fold);
        s.albedo *= mix(.75, 1., smoothstep(0., .004, abs(regions.x - .018)));
        s.gloss = .012;
    } else {
        float height = at_rest.z - sole;
        s.albedo = mix(vec3(.62, .61, .58), shoe_color, smoothstep(.024, .027, height));
        float laces = smoothstep(.003, .001, abs(fract(height * 34.) - .5) * .03) * step(.05, height);
        s.albedo = mix(s.albedo, vec3(.5), .6 * laces * step(at_rest.y, -.03));
        s.gloss = .05;
        s.sharpness = 30.;
    }
    return s;
}

void main() {
    vec3 normal = normalize(world_normal);
    if (dot(normal, normalize(eye - world)) < 0. && !gl_FrontFacing) normal = -normal;
    Surface s;
    if (material == SKIN) {
        if (regions.x > 0.) discard;
        s = regions.w > .5 ? eyeball(normal) : skin(normal);
    } else if (material == HAIR) {
        s = hair(normal);
    } else {
        s = cloth(normal);
    }
    color = vec4(lit(s), owner);
}
