import { patronFields } from '../patrons/patron-fields.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { asText } from '../record.ts';
import { html } from './html.ts';
import { detailsPath, memberPath } from './paths.ts';
import { checkoutTable, nameOf, patronBox, patronMessages } from './patron-blocks.ts';
import { redirect, show, type PageAnswer, type PageRequest, type StaffPage } from './staff-page.ts';

/** `members/moremember.pl`: all that is filled in of a patron, attributes included. */
export const detailsPage: StaffPage = { paths: [detailsPath], answer };

function answer({ fields, double }: PageRequest): PageAnswer {
  const patron = double.db.patrons.get(Number(fields.get('borrowernumber') ?? 0));
  if (patron === undefined) return redirect(memberPath);
  return show({
    title: nameOf(patron),
    bodyId: 'pat_moremember',
    bodyClass: 'pat',
    aside: patronBox(double, patron),
    main: html`<h1 dir="auto">${nameOf(patron)}</h1>
      ${patronMessages(double, patron)}
      <h2>Record</h2>
      <dl class="record">
        ${filledFields(patron).map(
          ([name, value]) =>
            html`<dt>${name.replaceAll('_', ' ')}</dt>
              <dd dir="auto">${value}</dd>`,
        )}
      </dl>
      <h2>Additional attributes</h2>
      ${
        patron.attributes.length === 0
          ? html`<p class="quiet">None.</p>`
          : html`<dl class="record">
              ${patron.attributes.map(
                (attribute) =>
                  html`<dt>${double.db.attributeTypes.get(attribute.type)?.description ?? attribute.type}</dt>
                    <dd>${attribute.value}</dd>`,
              )}
            </dl>`
      }
      ${checkoutTable(double, patron)}`,
  });
}

function filledFields(patron: PatronRow): [string, string][] {
  return patronFields
    .filter((field) => field.kind !== 'boolean')
    .map((field): [string, string] => [field.name, asText(patron.columns[field.name])])
    .filter(([, value]) => value !== '');
}
