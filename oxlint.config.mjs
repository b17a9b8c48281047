// JavaScript, because the rules on imports follow from the table of rooms.
import { ROOMS, closedTo } from './.ci/rooms.mjs'

const owners = ROOMS.flatMap(({ name, packages = [] }) =>
  packages.map((each) => ({ name: each, room: name })),
)

/** @param {import('./.ci/rooms.mjs').Room} room */
const importsOf = (room) => ({
  files: [`src/${room.name}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: owners
          .filter((owner) => owner.room !== room.name)
          .map((owner) => ({ name: owner.name, message: `Only src/${owner.room} imports ${owner.name}.` })),
        patterns: [
          ...closedTo(room).map((name) => ({
            group: [`**/${name}/**`],
            message: `src/${room.name} does not import from src/${name}: see CONTRIBUTING, "Rooms and layers".`,
          })),
          { group: ['**/index.ts'], message: 'Rooms import from files, not from the public entry.' },
        ],
      },
    ],
  },
})

export default {
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['dist', 'node_modules', '.tap', 'test/fixtures/broken', '.build'],
  rules: {
    'import/no-cycle': ['error', { ignoreTypes: true }],
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'typescript/await-thenable': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': 'error',
    'no-console': 'error',
    'no-await-in-loop': 'off',
    'import/no-unassigned-import': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'unicorn/no-array-sort': 'off',
    'promise/always-return': 'off',
    'promise/no-multiple-resolved': 'off',
    'unicorn/no-useless-spread': 'off',
  },
  overrides: [
    ...ROOMS.map(importsOf),
    { files: ['src/**/*.ts'], rules: { 'import/no-default-export': 'error' } },
    {
      files: ['bench/**', 'examples/**', '.ci/**'],
      rules: { 'no-console': 'off', 'typescript/no-extraneous-class': 'off' },
    },
    {
      files: ['test/**'],
      rules: {
        'no-console': 'off',
        'typescript/no-extraneous-class': 'off',
        'typescript/no-floating-promises': 'off',
        'import/no-named-as-default-member': 'off',
        'typescript/unbound-method': 'off',
      },
    },
  ],
}
