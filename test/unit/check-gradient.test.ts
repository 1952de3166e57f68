import { checkGradientTests } from '../check-gradient.ts';

checkGradientTests('cpu');
