import { describe, expect, it } from 'vitest';
import type { Candidate } from '../choose.ts';
import { engineFindings } from './machine.ts';

const make = () => Promise.reject(new Error('not made here'));

describe('engines', () => {
  it('are each a line, with the reason of those that cannot run the stack', () => {
    const candidates: Candidate[] = [
      {
        availability: { name: 'docker', available: false, reason: 'docker is not on PATH' },
        found: {
          availability: { name: 'docker', available: false, reason: 'docker is not on PATH' },
          candidates: [],
        },
        make,
      },
      { availability: { name: 'embedded', available: true, reason: 'Postgres 18.1' }, make },
    ];
    expect(engineFindings(candidates)).toEqual([
      { mark: 'note', text: 'docker: docker is not on PATH' },
      { mark: 'good', text: 'embedded: Postgres 18.1' },
    ]);
  });

  it('are followed by the ways that were passed over, and by known defects with what to do', () => {
    const availability = { name: 'podman', available: true, reason: 'Podman 4.3.1, Compose 2.40.3' } as const;
    const candidate: Candidate = {
      availability,
      found: {
        availability,
        candidates: [
          { what: 'docker-compose 1.29.2', reason: 'too old', isChosen: false },
          { what: 'docker compose', reason: availability.reason, isChosen: true },
        ],
        flavour: 'compose',
        command: ['docker', 'compose'],
        program: 'podman',
        environment: {},
        versions: { engine: '4.3.1', compose: '2.40.3' },
        defects: [{ fact: "a tmpfs's mode is lost", act: 'give the folder its mode' }],
        needsService: false,
      },
      make,
    };
    expect(engineFindings([candidate])).toEqual([
      { mark: 'good', text: 'podman: Podman 4.3.1, Compose 2.40.3' },
      { mark: 'note', text: 'podman: not docker-compose 1.29.2: too old' },
      { mark: 'note', text: "podman: known defect: a tmpfs's mode is lost", act: 'give the folder its mode' },
    ]);
  });
});
