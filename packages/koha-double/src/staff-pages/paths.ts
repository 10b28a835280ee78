/** Where the staff pages are, as in Koha; the last is this stand-in's own. */
export const circulationPath = '/cgi-bin/koha/circ/circulation.pl';
export const memberPath = '/cgi-bin/koha/members/member.pl';
export const memberEntryPath = '/cgi-bin/koha/members/memberentry.pl';
export const detailsPath = '/cgi-bin/koha/members/moremember.pl';
export const returnsPath = '/cgi-bin/koha/circ/returns.pl';
export const selfCheckPath = '/cgi-bin/koha/sco/sco-main.pl';
export const homePath = '/cgi-bin/koha/mainpage.pl';
export const branchPath = '/cgi-bin/koha/circ/set-library.pl';
export const pluginsPath = '/cgi-bin/koha/plugins/plugins-home.pl';
export const runPluginPath = '/cgi-bin/koha/plugins/run.pl';
export const stylePath = '/intranet-tmpl/double.css';
