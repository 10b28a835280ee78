import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Exchange } from '../../src/index.ts';

/** Laid out as Koha lays out its description: one file per path and per object, which refer to each other. */
const FILES = {
  'Koha.pm': '$VERSION = "24.11.03.000";\n',
  'api/v1/swagger/swagger.yaml': `
swagger: "2.0"
basePath: /api/v1
definitions:
  patron:
    $ref: ./definitions/patron.yaml
  error:
    $ref: ./definitions/error.yaml
paths:
  /cashups:
    $ref: ./paths/cashups.yaml#/~1cashups
  "/cashups/{cashup_id}":
    $ref: "./paths/cashups.yaml#/~1cashups~1{cashup_id}"
  /patrons:
    $ref: "./paths/patrons.yaml#/~1patrons"
  /oauth/token:
    $ref: "./paths/oauth.yaml#/~1oauth~1token"
parameters:
  page:
    name: _page
    in: query
    type: integer
`,
  'api/v1/swagger/definitions/patron.yaml': `
type: object
properties:
  patron_id:
    type: integer
    readOnly: true
  surname:
    type: string
  surname:
    type: string
  gender:
    type:
      - string
      - "null"
additionalProperties: false
`,
  'api/v1/swagger/definitions/error.yaml': 'type: object\n',
  'api/v1/swagger/definitions/cashup.yaml': 'type: object\nproperties:\n  cashup_id:\n    type: integer\n',
  // Not by way of swagger.yaml, and by two of its paths.
  'api/v1/swagger/paths/cashups.yaml': `
/cashups:
  post:
    responses:
      "201":
        schema:
          $ref: "../definitions/cashup.yaml"
"/cashups/{cashup_id}":
  get:
    responses:
      "200":
        schema:
          $ref: "../definitions/cashup.yaml"
`,
  'api/v1/swagger/paths/oauth.yaml': `
/oauth/token:
  post:
    parameters:
      - name: grant_type
        in: formData
        required: true
        type: string
`,
  'api/v1/swagger/paths/patrons.yaml': `
/patrons:
  post:
    parameters:
      - $ref: "../swagger.yaml#/parameters/page"
      - name: _match
        in: query
        type: string
        enum: [contains, exact]
      - name: x-koha-embed
        in: header
        items:
          type: string
          enum: [checkouts]
      - name: body
        in: body
        required: true
        schema:
          $ref: "../swagger.yaml#/definitions/patron"
    responses:
      "201":
        description: A patron
        schema:
          $ref: "../swagger.yaml#/definitions/patron"
      "400":
        description: Bad request
        schema:
          $ref: "../swagger.yaml#/definitions/error"
`,
} as const;

/** A patron made, as the checkout's description has it. */
export const created: Exchange = {
  method: 'POST',
  path: '/patrons',
  query: '',
  requestHeaders: { 'content-type': 'application/json' },
  requestBody: { surname: 'Doe' },
  status: 201,
  responseHeaders: {},
  responseBody: { surname: 'Doe' },
  isScripted: false,
};

/** Runs a test with the path of a small checkout of Koha. */
export async function withCheckout(test: (checkout: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'passport-koha-'));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await test(root);
  } finally {
    await rm(root, { recursive: true });
  }
}
