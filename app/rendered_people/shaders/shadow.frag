// Depth only, without what the other shaders leave out.
uniform int material;
in vec4 regions;

void main() {
    if (material == SKIN && regions.x > 0.) discard;
    if (material >= HAIR && material <= SHOES && regions.x < 0.) discard;
}
