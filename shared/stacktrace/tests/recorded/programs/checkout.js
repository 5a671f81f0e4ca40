// One argument says which failure.
const { readFileSync } = require('fs');
const { inspect } = require('util');

class PaymentError extends Error {
  constructor(message, options) { super(message, options); this.name = 'PaymentError'; this.code = 'E_PAY'; }
}

class Pool {
  acquire(order) { return JSON.parse('{' + order); }
}

function charge(order) {
  try {
    return new Pool().acquire(order);
  } catch (error) {
    throw new PaymentError(`order ${order} failed`, { cause: error });
  }
}

async function place(order) {
  await null;
  return charge(order);
}

async function all() {
  await Promise.any([place('A-1'), place('A-2')]);
}

async function nested() {
  try {
    await place('A-3');
  } catch (error) {
    throw new Error('checkout failed', { cause: error });
  }
}

const kinds = {
  cause: () => charge('A-17'),
  nested: () => nested(),
  aggregate: () => all(),
  internal: () => readFileSync('/nowhere'),
  multiline: () => { throw new Error('first line\nsecond line'); },
  lambda: () => [1].map((order) => charge(order)),
  logged: () => nested().catch((error) => console.log('failed:', inspect(error))),
};
kinds[process.argv[2]]();
