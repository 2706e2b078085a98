import globals from 'globals';
import lit from 'eslint-plugin-lit';
import tseslint from 'typescript-eslint';
import wc from 'eslint-plugin-wc';

/** Model output reaches the page as nodes and text only: whatever parses HTML from a string is banned. */
const bannedSyntax = [
  {
    selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe)$/]',
    message: 'Build nodes and text; never parse HTML from a string.',
  },
  {
    selector: 'ImportSpecifier[imported.name=/^unsafe(HTML|SVG|MathML|CSS)$/]',
    message: 'No unsafe directives.',
  },
  {
    selector: 'TaggedTemplateExpression[tag.name="html"] TemplateElement[value.raw=/\\sstyle=/]',
    message: 'No inline style in templates (a strict CSP forbids it); use classes and custom properties.',
  },
  {selector: 'TSEnumDeclaration', message: 'Use a union of string literals.'},
  {selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Use modules.'},
];

export default tseslint.config(
  {ignores: ['build/', 'dist/', 'wasm/build/', 'wasm/assembly/', 'coverage/', 'test/bench/node_modules/']},
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: {parserOptions: {projectService: true}},
    rules: {
      'no-restricted-syntax': ['error', ...bannedSyntax],
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-console': 'error',
      eqeqeq: ['error', 'always', {null: 'ignore'}],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        {checksVoidReturn: {arguments: false, attributes: false}},
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-expressions': 'error',
    },
  },
  {
    files: ['components/**/*.ts'],
    ...lit.configs['flat/recommended'],
  },
  {
    files: ['components/**/*.ts'],
    ...wc.configs['flat/best-practice'],
    rules: {
      ...wc.configs['flat/best-practice'].rules,
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: 'worker-runtime/(?!client/|protocol|errors)',
              message: 'components/ may import worker-runtime/client, protocol and errors, nothing deeper.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['worker-runtime/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {patterns: [{regex: 'components/', message: 'worker-runtime/ never imports components/.'}]},
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      // The types of @open-wc/testing make every chai assertion a promise.
      '@typescript-eslint/no-floating-promises': 'off',
    },
  },
  {files: ['**/*.js', '**/*.mjs'], languageOptions: {globals: {...globals.node, ...globals.browser}}},
);
