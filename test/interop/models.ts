// Small models of ONNX, with the numbers that they must give: what real ones are for a user, without a download.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from 'onnx-proto';

const FLOAT = 1;
const INT64 = 7;

type Graph = Parameters<typeof proto.onnx.ModelProto.fromObject>[0]['graph'];
type Matrix = readonly (readonly number[])[];

const modelOf = (graph: Graph): Uint8Array => {
  const { ModelProto } = proto.onnx;
  const model = { irVersion: 9, opsetImport: [{ version: 20 }], graph };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
};

/** A number is an extent, a word one that calls choose. */
const value = (name: string, elemType: number, shape: readonly (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: {
        dim: shape.map((extent) =>
          typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent },
        ),
      },
    },
  },
});

const initializer = (name: string, dims: readonly number[], rows: Matrix) => ({
  name,
  dims,
  dataType: FLOAT,
  floatData: rows.flat(),
});

const WIDTH = 32;
const WEIGHT: Matrix = [0, 1].map((i) =>
  Array.from({ length: WIDTH }, (_, j) => 3 * (((i * 7 + j * 5) % 11) / 5 - 1)),
);
const BIAS = Array.from({ length: WIDTH }, (_, j) => ((j * 3) % 7) / 7 - 0.5);

/** tanh(x W + b), x of [rows, 2]. */
export const featureModel = (): Uint8Array =>
  modelOf({
    name: 'features',
    node: [
      { opType: 'MatMul', input: ['x', 'weight'], output: ['product'] },
      { opType: 'Add', input: ['product', 'bias'], output: ['sum'] },
      { opType: 'Tanh', input: ['sum'], output: ['features'] },
    ],
    initializer: [initializer('weight', [2, WIDTH], WEIGHT), initializer('bias', [WIDTH], [BIAS])],
    input: [value('x', FLOAT, ['rows', 2])],
    output: [value('features', FLOAT, ['rows', WIDTH])],
  });

export const featuresOf = (x: readonly number[]): number[] =>
  BIAS.map((bias, j) =>
    Math.tanh(bias + x.reduce((sum, xi, i) => sum + xi * (WEIGHT[i]?.[j] ?? NaN), 0)),
  );

const WORDS = [
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'great', 'lovely', 'awful', 'terrible'],
  ...['food', 'place', 'the', 'a', 'and', 'was'],
];
const HIDDEN = 8;
/** Words of like meaning lie together, as in real models: the first number is what is good or bad. */
const rowOf = (id: number): number[] => [
  [4, 5].includes(id) ? 3 : [6, 7].includes(id) ? -3 : 0,
  ...Array.from({ length: HIDDEN - 1 }, (_, j) => (((id + 2) * (j + 3) * 7) % 13) / 6 - 1),
];

/** A vector for each word: the least that is a model of embeddings. */
const embeddingModel = (): Uint8Array =>
  modelOf({
    name: 'embedding',
    node: [{ opType: 'Gather', input: ['table', 'input_ids'], output: ['last_hidden_state'] }],
    initializer: [
      initializer(
        'table',
        [WORDS.length, HIDDEN],
        WORDS.map((_, id) => rowOf(id)),
      ),
    ],
    input: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
      value(name, INT64, ['sentences', 'words']),
    ),
    output: [value('last_hidden_state', FLOAT, ['sentences', 'words', HIDDEN])],
  });

/** The mean of its words' vectors and of the marks round them, of length 1. */
export function embeddingOf(sentence: string): number[] {
  const ids = ['[CLS]', ...sentence.split(' '), '[SEP]'].map((word) => WORDS.indexOf(word));
  const sums = Array.from({ length: HIDDEN }, (_, j) =>
    ids.reduce((sum, id) => sum + (rowOf(id)[j] ?? NaN), 0),
  );
  const length = Math.hypot(...sums);
  return sums.map((sum) => sum / length);
}

/** Writes the files of a model of the Hugging Face Hub. */
export async function writeEmbeddingModel(folder: string): Promise<void> {
  const mark = (id: number) => ({ id: WORDS[id], ids: [id], tokens: [WORDS[id]] });
  const special = [0, 1, 2, 3].map((id) => ({
    id,
    content: WORDS[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const files = {
    'config.json': {
      model_type: 'bert',
      architectures: ['BertModel'],
      hidden_size: HIDDEN,
      vocab_size: WORDS.length,
    },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      model_max_length: 512,
      do_lower_case: true,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
    },
    'tokenizer.json': {
      version: '1.0',
      added_tokens: special,
      normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '[CLS]', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
        ],
        pair: [],
        special_tokens: { '[CLS]': mark(2), '[SEP]': mark(3) },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
      },
    },
  };
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx/model.onnx'), embeddingModel());
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), JSON.stringify(content));
  }
}
