import { channelNormSuite } from '../channel-norms.ts';

channelNormSuite({ backend: 'cpu' });
