// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw 2011, Parallel Random Numbers: As Easy as 1, 2, 3): random
// words from a key and a counter. The number of an element depends on nothing else, so it is the same on every device.
fn threefry_round(x: vec2u, rotation: u32) -> vec2u {
  let sum = x.x + x.y;
  return vec2u(sum, ((x.y << rotation) | (x.y >> (32u - rotation))) ^ sum);
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let parity = key.x ^ key.y ^ 0x1bd11bdau;
  var x = counter + key;
  x = threefry_round(threefry_round(threefry_round(threefry_round(x, 13u), 15u), 26u), 6u);
  x += vec2u(key.y, parity + 1u);
  x = threefry_round(threefry_round(threefry_round(threefry_round(x, 17u), 29u), 16u), 24u);
  x += vec2u(parity, key.x + 2u);
  x = threefry_round(threefry_round(threefry_round(threefry_round(x, 13u), 15u), 26u), 6u);
  x += vec2u(key.x, key.y + 3u);
  x = threefry_round(threefry_round(threefry_round(threefry_round(x, 17u), 29u), 16u), 24u);
  x += vec2u(key.y, parity + 4u);
  x = threefry_round(threefry_round(threefry_round(threefry_round(x, 13u), 15u), 26u), 6u);
  return x + vec2u(parity, key.x + 5u);
}

// The random number of element `index`, uniform in [0, 1), a multiple of 2^-24.
fn uniform_at(key: vec2u, index: u32) -> f32 {
  return uniform_of_row(key, index, 0u);
}

// The same by row and index in the row, where there are more than 2^32 elements.
fn uniform_of_row(key: vec2u, index: u32, row: u32) -> f32 {
  return f32(threefry(key, vec2u(index, row)).x >> 8u) * 0x1p-24f;
}

// The same in the open interval (0, 1), in steps of 2^-23. Its logarithm is finite and not 0.
fn open_uniform_at(key: vec2u, index: u32) -> f32 {
  return (f32(threefry(key, vec2u(index, 0u)).x >> 9u) + 0.5) * 0x1p-23f;
}
