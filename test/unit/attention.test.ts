import { attentionSuite } from '../attention.ts';

attentionSuite({ backend: 'cpu' });
