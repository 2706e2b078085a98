import {expect} from '@open-wc/testing';
import {activations, clampedSwiGlu, geluExponent, sigmoid, xielu} from '../helpers/activation-reference.ts';
import type {ActivationName} from '../helpers/activation-reference.ts';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const {fround} = Math;

/** Over the range of e^x in f32 and beyond. */
const inputs = Float32Array.from({length: 4096}, (_, i) => (i - 2048) / 20);
const ups = randomFloats(4096, 3);

/** From where e^-x leaves f32, results are 0 instead of at most 103 e^-88. */
const vanishing = 1e-30;

/**
 * Relative error of x / (1 + e^-u), where the rounded exponent is off by up to `exponentError` of its size: that of
 * e^-u, which is 2 ulp and the exponent's, enters as far as e^-u is a part of the sum. Sum and quotient are rounded.
 */
const sigmoidError = (u: number, exponentError: number): number =>
  ulp * (1 + (2 + Math.abs(u) * exponentError) * sigmoid(-u));

const relativeErrors: Readonly<Record<ActivationName, (x: number) => number>> = {
  silu: (x) => sigmoidError(x, 0),
  // Seven roundings of half an ulp each: two constants, four products, a sum.
  gelu: (x) => sigmoidError(geluExponent(x), 3.5),
  relu: () => 0,
  'relu squared': () => ulp / 2,
};

describe('activations of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const name of Object.keys(activations) as ActivationName[]) {
    const {kind, of} = activations[name];

    const activate = (x: Float32Array, inPlace = true): Float32Array =>
      onAll(cores, (core) => {
        const p = core.put(x);
        const y = inPlace ? p : core.allocate(x.byteLength);
        core.run('activate', kind, p, y, x.length);
        return core.f32(y, x.length);
      });

    const gate = (x: Float32Array, up: Float32Array): Float32Array =>
      onAll(cores, (core) => {
        const p = core.put(x);
        core.run('activateGate', kind, p, core.put(up), p, x.length);
        return core.f32(p, x.length);
      });

    it(`${name}, in place or not`, () => {
      const result = activate(inputs);
      expect(bits(activate(inputs, false))).to.deep.equal(bits(result));
      const wanted = Float64Array.from(inputs, of);
      expectWithin(
        result,
        wanted,
        (i) => Math.abs(wanted[i]!) * relativeErrors[name](inputs[i]!) + vanishing,
      );
    });

    it(`${name} as a gate: the same, times another`, () => {
      const activated = activate(inputs);
      expect([...gate(inputs, ups)]).to.deep.equal([...activated.map((value, i) => value * ups[i]!)]);
    });

    it(`${name} passes on NaN, and no other`, () => {
      const x = Float32Array.of(NaN, 1e30, 88, 0, -0, -88, -1e3, NaN);
      const wanted = [...x].map((value) => Number.isNaN(fround(of(value))));
      expect([...activate(x)].map(Number.isNaN)).to.deep.equal(wanted);
    });
  }

  it('sigmoidGate: x times the sigmoid of a gate, in place of either or not', () => {
    const gate = (target: (gate: number, x: number, core: CoreHarness) => number): Float32Array =>
      onAll(cores, (core) => {
        const [p, x] = [core.put(inputs), core.put(ups)];
        const y = target(p, x, core);
        core.run('sigmoidGate', p, x, y, inputs.length);
        return core.f32(y, inputs.length);
      });
    const result = gate((_, __, core) => core.allocate(inputs.byteLength));
    expect(bits(gate((p) => p))).to.deep.equal(bits(result));
    expect(bits(gate((_, x) => x))).to.deep.equal(bits(result));
    const wanted = Float64Array.from(inputs, (g, i) => ups[i]! * sigmoid(g));
    expectWithin(result, wanted, (i) => Math.abs(wanted[i]!) * sigmoidError(inputs[i]!, 0) + vanishing);
  });

  it("gpt-oss's gate: both sides within a limit", () => {
    const [alpha, limit] = [fround(1.702), 7];
    const up = randomFloats(inputs.length, 5, 12);
    const result = onAll(cores, (core) => {
      const p = core.put(inputs);
      core.run('clampedSwiGlu', p, core.put(up), p, alpha, limit, inputs.length);
      return core.f32(p, inputs.length);
    });
    const wanted = Float64Array.from(inputs, (x, i) => clampedSwiGlu(x, up[i]!, alpha, limit));
    // The exponent is one rounded product; the sum up + 1 and the last product are rounded besides.
    expectWithin(result, wanted, (i) => {
      const error = sigmoidError(alpha * Math.min(inputs[i]!, limit), 0.5) + ulp;
      return Math.abs(wanted[i]!) * error + vanishing;
    });
    // All four limits are reached.
    expect(inputs.some((x, i) => x > limit && up[i]! > limit)).to.be.true;
    expect(inputs.some((x, i) => x < -limit && up[i]! < -limit)).to.be.true;
  });

  it("gpt-oss's gate passes on NaN", () => {
    const [gate, up] = [Float32Array.of(NaN, 1, 1, 1), Float32Array.of(1, NaN, 1, Infinity)];
    const result = onAll(cores, (core) => {
      const p = core.put(gate);
      core.run('clampedSwiGlu', p, core.put(up), p, 1.702, 7, 4);
      return core.f32(p, 4);
    });
    expect([...result].map(Number.isNaN)).to.deep.equal([true, true, false, false]);
  });

  for (const [alphaN, alphaP, beta, epsilon] of [
    [1.7, 0.8, 0.5, -1e-6],
    [0.6, 1.3, 0.25, -0.1],
    [1.1, 0.4, -0.5, -3],
  ] as const) {
    it(`xIELU with ${alphaN}, ${alphaP}, ${beta}, ${epsilon}`, () => {
      const parameters = {
        alphaN: fround(alphaN),
        alphaP: fround(alphaP),
        beta: fround(beta),
        epsilon: fround(epsilon),
      };
      const x = Float32Array.from({length: 4096}, (_, i) => (i - 2048) / 150);
      const result = onAll(cores, (core) => {
        const p = core.put(x);
        core.run('xielu', p, p, x.length, alphaN, alphaP, beta, epsilon);
        return core.f32(p, x.length);
      });
      const wanted = Float64Array.from(x, (value) => xielu(value, parameters));
      expectWithin(result, wanted, (i) => {
        const magnitude = Math.abs(x[i]!);
        const linear = parameters.beta * magnitude;
        // Each product is rounded, x² before its factor, and the sum of the two, which may be larger than it.
        const sums = (size: number): number =>
          (ulp / 2) * (2 * size + Math.abs(linear) + Math.abs(wanted[i]!));
        if (x[i]! > 0) return sums(parameters.alphaP * magnitude ** 2) + 2 ** -149;
        // e^x within 2 ulp; 1 and x are taken off, each result rounded.
        const power = Math.exp(Math.min(x[i]!, parameters.epsilon));
        const decay = Math.abs(power - 1 - x[i]!);
        const errors = ulp * (2 * power + Math.abs(power - 1) / 2 + decay / 2);
        return parameters.alphaN * errors + sums(parameters.alphaN * decay);
      });
    });
  }

  it('xIELU passes on NaN', () => {
    const result = onAll(cores, (core) => {
      const p = core.put(Float32Array.of(NaN, 1, -1, -200));
      core.run('xielu', p, p, 4, 1.7, 0.8, 0.5, -1e-6);
      return core.f32(p, 4);
    });
    expect([...result].map(Number.isNaN)).to.deep.equal([true, false, false, false]);
  });
});
