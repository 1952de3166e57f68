// Optimizers of what is no parameter, their settings, and states that do not fit.
import {
  DisposedError,
  DTypeError,
  mul,
  nn,
  optim,
  OptionError,
  ShapeError,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { show } from '../calls/wrong.ts';
import { junk, type Refusal } from './refusal.ts';

const KINDS = {
  SGD: optim.SGD,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  RMSprop: optim.RMSprop,
};
const leaf = (device: Device): Tensor => tensor([1, 2], { device, requiresGrad: true });

type Parameters = readonly [
  name: string,
  make: (device: Device) => unknown,
  argument: string,
  error: Refusal['error'],
  says: string,
];

const ALL = 'an array of at least one tensor, such as model.parameters()';
const ONCE = 'a leaf tensor, each once';

const PARAMETERS: readonly Parameters[] = [
  ['a module', (device) => new nn.Linear(1, 1, { device }), 'parameters', OptionError, ALL],
  ['null', () => null, 'parameters', OptionError, 'received null'],
  ['undefined', () => undefined, 'parameters', OptionError, 'received undefined'],
  ['a number', () => 5, 'parameters', OptionError, 'received 5'],
  ['a string', () => 'w', 'parameters', OptionError, 'received "w"'],
  ['an empty array', () => [], 'parameters', OptionError, ALL],
  ['an empty Set', () => new Set(), 'parameters', OptionError, 'received a Set'],
  ['a tensor', leaf, 'parameters', OptionError, 'received a float32 tensor of shape [2]'],
  ['a state dict', (device) => ({ w: leaf(device) }), 'parameters', OptionError, 'an object'],
  ['a number among them', (device) => [leaf(device), 5], 'parameters[1]', DTypeError, 'received 5'],
  ['null among them', () => [null], 'parameters[0]', DTypeError, 'received null'],
  [
    'names with them',
    (device) => [['w', leaf(device)]],
    'parameters[0]',
    DTypeError,
    'an array of length 2',
  ],
  [
    'the result of an op',
    (device) => [mul(leaf(device), 2)],
    'parameters[0]',
    OptionError,
    `${ONCE}, received the result of an op`,
  ],
  [
    'integers',
    (device) => [tensor([1], { device, dtype: 'int32' })],
    'parameters[0]',
    DTypeError,
    'received an int32 tensor',
  ],
];

const parameters = Object.entries(KINDS).flatMap(([op, Kind]): Refusal[] => [
  ...PARAMETERS.map(([name, make, argument, error, says]): Refusal => ({
    name: `${op} of ${name}`,
    op,
    argument,
    error,
    says,
    given: ({ device }) => {
      const given = make(device);
      return () => new Kind(junk(given));
    },
  })),
  {
    name: `${op} of the same tensor twice`,
    op,
    argument: 'parameters[2]',
    error: OptionError,
    says: 'parameters[0] once more',
    given: ({ device }) => {
      const [w, v] = [leaf(device), leaf(device)];
      return () => new Kind([w, v, w]);
    },
  },
  {
    name: `${op} of a disposed tensor`,
    op,
    argument: 'parameters[0]',
    error: DisposedError,
    given: ({ device }) => {
      const w = leaf(device);
      w.dispose();
      return () => new Kind([w]);
    },
  },
]);

/** Options with what they must not be. */
const OPTIONS: Readonly<
  Record<string, readonly [(typeof KINDS)[keyof typeof KINDS], Record<string, unknown[]>]>
> = {
  SGD: [
    optim.SGD,
    { lr: [-1], momentum: [-1], dampening: [], weightDecay: [-1], nesterov: [1], maximize: [0] },
  ],
  Adam: [
    optim.Adam,
    {
      lr: [-1],
      betas: [0.9, [0.9], [0.9, 1], [-0.1, 0.9], ['0.9', '0.99'], [NaN, 0.9]],
      eps: [-1],
      weightDecay: [-1],
      amsgrad: [1],
      maximize: [0],
      decoupledWeightDecay: [1],
    },
  ],
  RMSprop: [
    optim.RMSprop,
    {
      lr: [-1],
      alpha: [-1],
      eps: [-1],
      weightDecay: [-1],
      momentum: [-1],
      centered: [1],
      maximize: [0],
    },
  ],
};

const options = Object.entries(OPTIONS).flatMap(([op, [Kind, all]]) =>
  Object.entries(all).flatMap(([argument, values]) =>
    [...values, 'abc', null, NaN, [1], {}].map((value): Refusal => ({
      name: `${op} with ${argument} = ${show(value)}${Number.isNaN(value) ? ' (a number)' : ''}`,
      op,
      argument,
      error: OptionError,
      given: ({ device }) => {
        const w = leaf(device);
        return () => new Kind([w], junk({ [argument]: value }));
      },
    })),
  ),
);

const rates = Object.entries(KINDS).flatMap(([op, Kind]) =>
  ['abc', '0.1', null, undefined, NaN, -1, [0.1], {}].map((value): Refusal => ({
    name: `${op}.lr = ${show(value)}`,
    op,
    argument: 'lr',
    error: OptionError,
    says: 'a number of at least 0',
    given: ({ device }) => {
      const optimizer = new Kind([leaf(device)], { lr: 0.5 });
      return () => {
        try {
          optimizer.lr = junk(value);
        } catch (error) {
          if (optimizer.lr !== 0.5) throw new Error('lr has changed', { cause: error });
          throw error;
        }
      };
    },
  })),
);

type Make = (parameters: Tensor[]) => optim.Optimizer;

/** Each keeps another number of tensors. */
const MAKES: Readonly<Record<string, readonly [op: string, make: Make]>> = {
  SGD: ['SGD', (ws) => new optim.SGD(ws)],
  'SGD with momentum': ['SGD', (ws) => new optim.SGD(ws, { momentum: 0.9 })],
  Adam: ['Adam', (ws) => new optim.Adam(ws)],
  'AdamW with amsgrad': ['AdamW', (ws) => new optim.AdamW(ws, { amsgrad: true })],
};

/** A state after one step, without the options of the groups: with them it says of what kind it is. */
function stateOf(make: Make, device: Device): optim.OptimizerState {
  const w = leaf(device);
  const optimizer = make([w]);
  w.grad = tensor([1, 1], { device });
  optimizer.step();
  const { steps, state } = optimizer.stateDict();
  return { steps, state };
}

const kinds = Object.entries(MAKES).flatMap(([to, [op, make]]) =>
  Object.entries(MAKES).flatMap(([from, [, other]]): Refusal[] =>
    from === to
      ? []
      : [
          {
            name: `the state of ${from} for ${to}`,
            op: 'loadStateDict',
            argument: 'state[0]',
            error: OptionError,
            says: `as ${op} with these options has after its first step`,
            given: ({ device }) => {
              const state = stateOf(other, device);
              const optimizer = make([leaf(device)]);
              return () => {
                optimizer.loadStateDict(state);
              };
            },
          },
        ],
  ),
);

type State = readonly [
  name: string,
  state: (device: Device) => unknown,
  argument: string,
  error: Refusal['error'],
];
const two = (device: Device): Tensor => tensor([0, 0], { device });

const STATES: readonly State[] = [
  ['null', () => null, 'state', OptionError],
  ['undefined', () => undefined, 'state', OptionError],
  ['a number', () => 5, 'state', OptionError],
  ['an empty object', () => ({}), 'state', OptionError],
  [
    "a model's state",
    (device) => new nn.Linear(1, 1, { device }).stateDict(),
    'state',
    OptionError,
  ],
  ['no steps', () => ({ state: [[]] }), 'state', OptionError],
  ['no tensors', () => ({ steps: [0] }), 'state', OptionError],
  ['more parameters', () => ({ steps: [0, 0], state: [[], []] }), 'state', OptionError],
  ['half a step', () => ({ steps: [0.5], state: [[]] }), 'steps[0]', OptionError],
  ['a step that is text', () => ({ steps: ['1'], state: [[]] }), 'steps[0]', OptionError],
  ['null for its tensors', () => ({ steps: [0], state: [null] }), 'state[0]', OptionError],
  ['steps without tensors', () => ({ steps: [3], state: [[]] }), 'state[0]', OptionError],
  [
    'tensors without steps',
    (device) => ({ steps: [0], state: [[two(device), two(device)]] }),
    'state[0]',
    OptionError,
  ],
  ['numbers for tensors', () => ({ steps: [1], state: [[1, 2]] }), 'state[0][0]', DTypeError],
  [
    'another shape',
    (device) => ({ steps: [1], state: [[two(device), tensor([1], { device })]] }),
    'state[0][1]',
    ShapeError,
  ],
];

const states = STATES.map(([name, state, argument, error]): Refusal => ({
  name: `a state of ${name} for Adam`,
  op: 'loadStateDict',
  argument,
  error,
  given: ({ device }) => {
    const given = state(device);
    const optimizer = new optim.Adam([leaf(device)]);
    return () => {
      optimizer.loadStateDict(junk(given));
    };
  },
}));

const layer = (device: Device): nn.Linear => new nn.Linear(2, 2, { device, bias: false });
const square = (device: Device): Tensor =>
  tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { device },
  );

type ModelState = readonly [...State, options?: unknown];

const MODEL_STATES: readonly ModelState[] = [
  ['null', () => null, 'state', OptionError],
  ['undefined', () => undefined, 'state', OptionError],
  ['an array', () => [], 'state', OptionError],
  ['a Map', () => new Map(), 'state', OptionError],
  ['a module', layer, 'state', OptionError],
  ['a tensor', square, 'state', OptionError],
  ['no names', () => ({}), 'state', OptionError],
  [
    'a name too many',
    (device) => ({ weight: square(device), extra: square(device) }),
    'state',
    OptionError,
  ],
  [
    'a name that every object has',
    (device) => ({ weight: square(device), toString: square(device) }),
    'state',
    OptionError,
  ],
  ['numbers', () => ({ weight: [1] }), 'weight', DTypeError],
  ['null for a tensor', () => ({ weight: null }), 'weight', DTypeError],
  ['undefined for a tensor', () => ({ weight: undefined }), 'weight', DTypeError],
  ['another shape', (device) => ({ weight: two(device) }), 'weight', ShapeError],
  [
    'another shape, not strictly',
    (device) => ({ weight: two(device) }),
    'weight',
    ShapeError,
    { strict: false },
  ],
  ['numbers, not strictly', () => ({ weight: 5 }), 'weight', DTypeError, { strict: false }],
  [
    'what fits, with strict = 0',
    (device) => ({ weight: square(device) }),
    'strict',
    OptionError,
    { strict: 0 },
  ],
  [
    'what fits, with false for options',
    (device) => ({ weight: square(device) }),
    'options',
    OptionError,
    false,
  ],
  [
    'what fits, with an unknown option',
    (device) => ({ weight: square(device) }),
    'assign',
    OptionError,
    { assign: true },
  ],
];

const modelStates = MODEL_STATES.map(([name, state, argument, error, given = {}]): Refusal => ({
  name: `a model's state of ${name}`,
  op: 'loadStateDict',
  argument,
  error,
  given: ({ device }) => {
    const value = state(device);
    const model = layer(device);
    return () => model.loadStateDict(junk(value), junk(given));
  },
}));

export const trainingRefusals: readonly Refusal[] = [
  ...parameters,
  ...options,
  ...rates,
  ...kinds,
  ...states,
  ...modelStates,
];
