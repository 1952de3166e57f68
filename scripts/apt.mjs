// @ts-check
// Packages of Debian and Ubuntu that a test needs: browsers and drivers.
import { spawnSync } from 'node:child_process';

/**
 * Installs packages without asking, as nobody may be there to answer.
 * @param {string[]} packages
 * @param {{ recommends?: boolean }} [options] also what they recommend
 * @returns {boolean} whether it could
 */
export function aptInstall(packages, { recommends = false } = {}) {
  const fewer = recommends ? [] : ['--no-install-recommends'];
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  // two lanes may each install something: the later one waits
  const apt = [...sudo, 'apt-get', '-o', 'DPkg::Lock::Timeout=600'];
  const steps = [['update'], ['install', '-y', ...fewer, ...packages]];
  return steps.every((step) => {
    const [program = '', ...args] = [...apt, ...step];
    console.log(`$ ${[program, ...args].join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync(program, args, { stdio: 'inherit', env }).status === 0;
  });
}
