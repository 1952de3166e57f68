// The error classes. Each error names the op, the argument, what was expected and what was received.

/** Where and how a call was wrong; every part that is given appears in the message. */
export interface ErrorDetails {
  /** The operation or method called, e.g. `crossEntropy`. */
  readonly op: string;
  /** The argument or option at fault, e.g. `target`. */
  readonly argument?: string;
  /** What was expected of it. */
  readonly expected?: string;
  /** What was received instead. */
  readonly received?: string;
  /** Anything that helps to repair the call. */
  readonly hint?: string;
}

function describe({ op, argument, expected, received, hint }: ErrorDetails): string {
  const subject = argument === undefined ? op : `${op}: ${argument}`;
  const parts = [
    expected === undefined ? '' : `expected ${expected}`,
    received === undefined ? '' : `received ${received}`,
    hint ?? '',
  ].filter((part) => part !== '');
  return `${subject}: ${parts.join(', ')}`;
}

/** Base of every error thrown by this package; `code` is stable across versions. */
export class NonlinError extends Error {
  override readonly name: string = 'NonlinError';
  /** What went wrong, in a word: see docs/troubleshooting.md. */
  readonly code: string = 'nonlin';
  /** The operation or method called. */
  readonly op: string;
  /** The argument or option at fault. */
  readonly argument: string | undefined;
  /** What was expected of it. */
  readonly expected: string | undefined;
  /** What was received instead. */
  readonly received: string | undefined;

  constructor(details: ErrorDetails, options?: ErrorOptions) {
    super(describe(details), options);
    this.op = details.op;
    this.argument = details.argument;
    this.expected = details.expected;
    this.received = details.received;
  }
}

/** A tensor's shape does not fit the operation. */
export class ShapeError extends NonlinError {
  override readonly name = 'ShapeError';
  override readonly code = 'shape';
}

/** A value is not a tensor, or a tensor of the wrong dtype. */
export class DTypeError extends NonlinError {
  override readonly name = 'DTypeError';
  override readonly code = 'dtype';
}

/** An option is unknown, of the wrong type or out of its range. */
export class OptionError extends NonlinError {
  override readonly name = 'OptionError';
  override readonly code = 'option';
}

/** A dimension or class index is out of range. */
export class IndexOutOfRangeError extends NonlinError {
  override readonly name = 'IndexOutOfRangeError';
  override readonly code = 'index-out-of-range';
}

/** Tensors of one call live on different devices. */
export class DeviceMismatchError extends NonlinError {
  override readonly name = 'DeviceMismatchError';
  override readonly code = 'device-mismatch';
}

/** No device of the wanted kind is available here. */
export class DeviceUnavailableError extends NonlinError {
  override readonly name = 'DeviceUnavailableError';
  override readonly code = 'device-unavailable';
}

/** The GPU device was lost (driver reset, tab evicted, `GPUDevice.destroy()`); call `init()` for a new one. */
export class DeviceLostError extends NonlinError {
  override readonly name = 'DeviceLostError';
  override readonly code = 'device-lost';
}

/** A call needs more than a limit of the device allows. */
export class LimitError extends NonlinError {
  override readonly name = 'LimitError';
  override readonly code = 'limit';
}

/** A tensor is too large for the device, or the device has no memory left. */
export class OutOfMemoryError extends NonlinError {
  override readonly name = 'OutOfMemoryError';
  override readonly code = 'out-of-memory';
}

/** What a shader's compiler says, and where in the WGSL of the declaration. */
export interface ShaderMessage {
  /** How grave it is; `'error'` is what keeps the shader from being compiled. */
  readonly type: 'error' | 'warning' | 'info';
  /** The compiler's words, which differ from browser to browser. */
  readonly message: string;
  /** The line in the declaration's `wgsl`, from 1; undefined where it is about the text around it, as after a brace that is never closed. */
  readonly line: number | undefined;
  /** The place in that line, from 1; undefined where there is no line. */
  readonly column: number | undefined;
}

/** A shader does not link or compile, or the GPU refused a command made with it. */
export class ShaderError extends NonlinError {
  override readonly name = 'ShaderError';
  override readonly code = 'shader';
  /** What the compiler says, in its order. Empty where it was not a compiler that failed, and in `device.record`. */
  readonly messages: readonly ShaderMessage[];

  constructor(
    details: ErrorDetails,
    options?: ErrorOptions & {
      /** What the compiler says. Empty by default. */
      messages?: readonly ShaderMessage[];
    },
  ) {
    super(details, options);
    this.messages = options?.messages ?? [];
  }
}

/** A tensor or device is used after `dispose()`. */
export class DisposedError extends NonlinError {
  override readonly name = 'DisposedError';
  override readonly code = 'disposed';
}

/** `backward()` was called where no gradient can be computed. */
export class AutogradError extends NonlinError {
  override readonly name = 'AutogradError';
  override readonly code = 'autograd';
}
