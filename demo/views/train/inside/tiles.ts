// Takes pictures of numbers, all of one size, and gives them side by side: one colour for numbers above 0, another below,
// none at 0.

export type Rgb = readonly [red: number, green: number, blue: number];

export interface Tiling {
  /** Of one picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Pictures in a row. */
  readonly columns: number;
  readonly above: Rgb;
  readonly below: Rgb;
  /** The number that has its whole colour, as those further from 0 have. */
  readonly whole: number;
}

/** Pixels between pictures, and round all of them. */
export const GAP = 1;

/** How large a picture of so many is. */
export function sizeOfTiles(
  count: number,
  { width, height, columns }: Pick<Tiling, 'width' | 'height' | 'columns'>,
): { width: number; height: number } {
  const across = Math.min(columns, count);
  const down = Math.ceil(count / columns);
  return { width: GAP + across * (width + GAP), height: GAP + down * (height + GAP) };
}

/** Red, green, blue and opacity of each pixel, row after row; what is between the pictures is clear. */
export function paintTiles(
  pictures: readonly ArrayLike<number>[],
  tiling: Tiling,
): Uint8ClampedArray<ArrayBuffer> {
  const { width, height, columns, above, below, whole } = tiling;
  const all = sizeOfTiles(pictures.length, tiling);
  const pixels = new Uint8ClampedArray(4 * all.width * all.height);
  pictures.forEach((picture, k) => {
    const left = GAP + (k % columns) * (width + GAP);
    const top = GAP + Math.floor(k / columns) * (height + GAP);
    for (let i = 0; i < width * height; i++) {
      const value = picture[i] ?? 0;
      const at = 4 * ((top + Math.floor(i / width)) * all.width + left + (i % width));
      pixels.set(value > 0 ? above : below, at);
      pixels[at + 3] = 255 * Math.min(1, Math.abs(value) / whole || 0);
    }
  });
  return pixels;
}

/** Three times the root of the mean square: a few numbers that are far from 0 leave the others their colour. */
export function wholeOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] ?? 0) ** 2;
  return 3 * Math.sqrt(squares / Math.max(1, values.length)) || 1;
}

/** The parts of a colour that the style sheet computes. */
export function rgbOf(colour: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
