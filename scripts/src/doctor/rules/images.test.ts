import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { unpinnedImage } from './images.ts';

describe('images', () => {
  it('without a version are noted, unless the project builds them', () => {
    const services = [
      'a: { image: redis }',
      'b: { image: "registry.example:5000/x/redis:latest" }',
      'c: { image: redis:8.2 }',
      'd: { image: redis@sha256:0123 }',
      'e: { image: own, build: . }',
    ];
    expect(found(unpinnedImage, services.join('\n'))).toEqual([
      'note 2:8 a: the image redis has no tag',
      'note 3:8 b: the image registry.example:5000/x/redis has the tag latest',
    ]);
  });
});
