// Takes shares of ink, 28 × 28, and gives an address of their image, ink on paper.
import { PIXELS, SIDE } from '../../../training/digits.ts';

let canvas: HTMLCanvasElement | undefined;

export function pictureOf(inkAt: (pixel: number) => number): string {
  canvas ??= Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < PIXELS; i++) {
    image.data.fill(255 * (1 - inkAt(i)), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
