// Numbers, tables and sections as docs/benchmarks.md has them.
import type { LibraryName } from './page/types.ts';

export const NAMES: Record<LibraryName, string> = {
  copy: 'copy',
  memcpy: 'copy',
  'hand-written': 'hand-written',
  before: 'before',
  'before-cpu': 'before',
  nonlin: 'nonlin',
  'nonlin-cpu': 'nonlin',
  tfjs: 'TensorFlow.js',
  'tfjs-cpu': 'TensorFlow.js cpu',
  'tfjs-wasm': 'TensorFlow.js wasm',
  ort: 'ONNX Runtime Web',
  jax: 'jax-js',
};

/** Three digits, as many as a timing has. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value < 1 ? 2 : 3).replace(/e.*/, '');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** A section, or nothing where nothing was measured. */
export function section(title: string, words: string, body: string, measured: boolean): string[] {
  return measured ? [`## ${title}`, words, body] : [];
}
