uniform vec3 wall_color;

Surface parquet(vec3 normal) {
    float row = floor(world.y / .14);
    float x = world.x + hash(vec3(row, 1, 1)) * 1.7;
    float id = hash(vec3(row, floor(x / 1.3), 3));
    vec3 p = vec3(x * 1.5, world.y * 22., id * 20.);
    float grain = octaves(p * 2.) + .35 * octaves(p * vec3(4., 7., 1.));
    vec3 albedo = mix(vec3(.30, .175, .085), vec3(.46, .29, .155), grain) * (.78 + .4 * id);
    float across = min(fract(world.y / .14), 1. - fract(world.y / .14)) * .14;
    float along = min(fract(x / 1.3), 1. - fract(x / 1.3)) * 1.3;
    albedo *= mix(.45, 1., smoothstep(0., .004, min(across, along)));
    return Surface(albedo, normal, .06, 40., 0., 0.);
}

// Hills under an evening sun, in a white frame.
Surface picture(vec3 normal) {
    vec2 p = vec2(place.x, 1. - place.y);
    float far_hill = .34 + .10 * sin(p.x * 5.1) + .05 * noise(vec3(p.x * 9., 1, 1));
    float near_hill = .22 + .07 * sin(p.x * 3.7 + 2.);
    float sun = smoothstep(.115, .11, length((p - vec2(.68, .68)) * vec2(1.29, 1.)));
    vec3 albedo = mix(vec3(.80, .42, .20), vec3(.22, .36, .52), smoothstep(.3, 1., p.y));
    albedo = mix(albedo, vec3(.85, .70, .35), sun);
    albedo = mix(albedo, vec3(.13, .17, .24) * (.8 + .4 * octaves(vec3(p * 18., 0.))), step(p.y, far_hill));
    albedo = mix(albedo, vec3(.07, .12, .09) * (.7 + .6 * octaves(vec3(p * 30., 3.))), step(p.y, near_hill));
    albedo = mix(albedo, vec3(.75), step(.45, max(abs(p.x - .5), abs(p.y - .5))));
    return Surface(albedo, normal, .03, 60., 0., 0.);
}

vec3 wood(vec3 dark, vec3 bright) {
    return mix(dark, bright, octaves(vec3(world.xy * 3., world.z * 45.)));
}

vec3 rug() {
    float from_centre = length((world.xy - vec2(.2, .1)) / vec2(1.35, .8));
    float border = smoothstep(.80, .82, from_centre) - smoothstep(.90, .92, from_centre);
    return mix(vec3(.30, .27, .24), vec3(.20, .08, .07), border) * (.7 + .6 * octaves(world * 60.));
}

// regions: a colour, and which pattern is painted in it.
vec3 patterned() {
    vec3 paint = regions.rgb;
    vec3 p = at_rest;
    int pattern = int(regions.w + .5);
    if (pattern == 1) return paint * (.6 + .8 * octaves(vec3(p.xy * 3., p.z * 45.)));
    if (pattern == 2) return paint * mix(.35, 1., step(.5, fract((p.x + p.y + p.z) * 4.)));
    if (pattern == 3) {
        vec3 cell = floor(p * 3.7 + .01);
        return paint * mix(.3, 1., mod(cell.x + cell.y + cell.z, 2.));
    }
    if (pattern == 4) return paint * (.45 + 1.1 * octaves(p * 60.)) * (.7 + .6 * octaves(p * 1.3));
    if (pattern == 5) {
        vec3 warm = vec3(octaves(p * 2.3), octaves(p * 2.3 + 31.), octaves(p * 2.3 + 57.));
        return clamp(paint + 1.3 * (warm - .47), .02, .95) * (.7 + .6 * octaves(p * 11.));
    }
    if (pattern == 6) {
        float row = floor(p.z / .075);
        vec2 brick = vec2((p.x + p.y) / .22 + .5 * mod(row, 2.), p.z / .075);
        vec2 edge = min(fract(brick), 1. - fract(brick)) * vec2(.22, .075);
        float joint = smoothstep(.004, .007, min(edge.x, edge.y));
        vec3 stone = paint * (.75 + .5 * hash(vec3(floor(brick), 5.))) * (.8 + .4 * octaves(p * 50.));
        return mix(vec3(.42), stone, joint);
    }
    return paint * (.93 + .09 * octaves(p * 30.) + .06 * octaves(p * 1.7));
}

void main() {
    vec3 normal = normalize(world_normal);
    Surface s = matt(vec3(.5), normal);
    if (material == PARQUET) s = parquet(normal);
    else if (material == WALL) s.albedo = wall_color * (.93 + .09 * octaves(world * 30.) + .06 * octaves(world * 1.7));
    else if (material == PAINT) s = Surface(vec3(.70, .68, .64) * (.95 + .08 * octaves(world * vec3(6., 6., 60.))), normal, .03, 20., 0., 0.);
    else if (material == PICTURE) s = picture(normal);
    else if (material == WOOD) s = Surface(wood(vec3(.16, .09, .05), vec3(.27, .16, .09)), normal, .05, 20., 0., 0.);
    else if (material == LEAVES) s.albedo = vec3(.10, .20, .06) * (.6 + .8 * octaves(world * 60.));
    else if (material == RUG) s.albedo = rug();
    else if (material == PATTERNED) s.albedo = patterned();
    color = vec4(lit(s), owner);
}
