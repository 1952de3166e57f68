// Takes the catalog of ops and the module classes, and gives the activations that fit between two linear layers.
import { OptionError, tensor, type Device, type nn } from 'nonlin';
import { catalog } from '../../src/catalog.ts';
import { byUse } from '../lab/order.ts';
import { classOf, type ModuleClass } from './classes.ts';
import { breathe } from './breathe.ts';

type Module = nn.Module;

export interface ActivationChoice {
  readonly op: string;
  /** When to use it, for people; may be empty. */
  readonly use: string;
  readonly group: 'Elementwise' | 'Gated' | 'Row-wise';
  /** Features out per feature in: 1, or 1/2 for a gated unit. */
  readonly ratio: number;
  /** A new module; what it learns is on `device`. */
  readonly create: (device: Device) => Module;
  /** For a picture; undefined where a value depends on its neighbours. */
  readonly curve: Curve | undefined;
}

/** An activation and its derivative at places `x`. */
export interface Curve {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly slope: Float32Array;
}

/** The activations of the catalog that can be used here; found out by using each on `device`. */
export async function findActivations(device: Device): Promise<ActivationChoice[]> {
  const choices: ActivationChoice[] = [];
  for (const entry of byUse(catalog)) {
    // a norm learns, and is told how many features there are
    if (['loss', 'norm', 'embedding', 'attention'].includes(entry.kind)) continue;
    await breathe();
    const Class = classOf(entry.op);
    if (!Class) continue;
    // defaults first; else the declared values of required options; else rows along the last dimension
    for (const options of [undefined, entry.params, { dim: -1 }]) {
      const create = (on: Device) => createOn(Class, options, on);
      const ratio = await ratioOf(create, device);
      if (ratio === undefined) continue;
      const group =
        ratio !== 1 ? 'Gated' : entry.kind === 'activation' ? 'Elementwise' : 'Row-wise';
      const curve = group === 'Elementwise' ? await curveOf(create, device) : undefined;
      choices.push({ op: entry.op, use: entry.docs.use ?? '', group, ratio, create, curve });
      break;
    }
  }
  return choices;
}

/** Classes without anything to learn take no device. */
function createOn(Class: ModuleClass, options: object | undefined, device: Device): Module {
  try {
    const module = new Class({ ...options, device });
    if (module.parameters().length > 0) return module;
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
  }
  return new Class(options);
}

const ROWS = 3;
const FEATURES = 8;

/** Features out per feature in, or undefined where the module does not map rows to rows with a useful gradient. */
async function ratioOf(
  create: (device: Device) => Module,
  device: Device,
): Promise<number | undefined> {
  const values = Float32Array.from({ length: ROWS * FEATURES }, (_, i) => ((i * 7) % 11) / 3 - 1.7);
  try {
    const x = tensor(values, { shape: [ROWS, FEATURES], device, requiresGrad: true });
    const y = create(device).forward(x);
    const [rows, features = 0] = y.shape;
    const ratio = features / FEATURES;
    if (y.rank !== 2 || rows !== ROWS || !(ratio === 1 || ratio === 0.5)) return undefined;
    const upstream = Float32Array.from({ length: y.size }, (_, i) => 1 + (i % 3));
    y.backward(tensor(upstream, { shape: y.shape, device }));
    const gradient = await x.grad?.data();
    const results = [...(await y.data()), ...(gradient ?? [NaN])];
    return results.every(Number.isFinite) && gradient?.some((g) => g !== 0) ? ratio : undefined;
  } catch {
    // it takes other arguments or shapes: not an activation for this place, and no fault
    return undefined;
  }
}

const CURVE_END = 4;
const CURVE_POINTS = 161;

async function curveOf(create: (device: Device) => Module, device: Device): Promise<Curve> {
  const places = Float32Array.from({ length: CURVE_POINTS }, (_, i) => {
    return CURVE_END * ((2 * i) / (CURVE_POINTS - 1) - 1);
  });
  const shape = [1, CURVE_POINTS];
  const x = tensor(places, { shape, device, requiresGrad: true });
  const y = create(device).eval().forward(x);
  y.backward(tensor(new Float32Array(CURVE_POINTS).fill(1), { shape, device }));
  const slope = (await x.grad?.data()) ?? [];
  return { x: places, y: Float32Array.from(await y.data()), slope: Float32Array.from(slope) };
}
