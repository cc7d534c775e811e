"""Pictures of noise that a test can make again, and the hash that says whether bytes are the same."""


def noise(seed, count):
    """The top bytes of a 64-bit linear congruential generator."""
    values, state = bytearray(count), seed
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values[i] = state >> 56
    return bytes(values)


def fnv(data):
    """FNV-1a, 64 bits."""
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h
