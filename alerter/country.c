/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/country.h"

#include <stdlib.h>
#include <string.h>

#include "common/attr.h"

struct country {
	char code[4];
	const char *name;
};

/* ISO 3166-1 alpha-2 and, as telephone numbers have them, Ascension, Tristan
 * da Cunha and Kosovo; sorted by code; names short enough for a page. */
static const struct country countries[] = {
	/* clang-format off */
	{"AC", "Ascension"}, {"AD", "Andorra"}, {"AE", "United Arab Emirates"},
	{"AF", "Afghanistan"}, {"AG", "Antigua and Barbuda"},
	{"AI", "Anguilla"}, {"AL", "Albania"}, {"AM", "Armenia"},
	{"AO", "Angola"}, {"AQ", "Antarctica"}, {"AR", "Argentina"},
	{"AS", "American Samoa"}, {"AT", "Austria"}, {"AU", "Australia"},
	{"AW", "Aruba"}, {"AX", "Aland Islands"}, {"AZ", "Azerbaijan"},
	{"BA", "Bosnia and Herzegovina"}, {"BB", "Barbados"},
	{"BD", "Bangladesh"}, {"BE", "Belgium"}, {"BF", "Burkina Faso"},
	{"BG", "Bulgaria"}, {"BH", "Bahrain"}, {"BI", "Burundi"},
	{"BJ", "Benin"}, {"BL", "St Barthelemy"}, {"BM", "Bermuda"},
	{"BN", "Brunei"}, {"BO", "Bolivia"}, {"BQ", "Bonaire"},
	{"BR", "Brazil"}, {"BS", "Bahamas"}, {"BT", "Bhutan"},
	{"BV", "Bouvet Island"}, {"BW", "Botswana"}, {"BY", "Belarus"},
	{"BZ", "Belize"}, {"CA", "Canada"}, {"CC", "Cocos Islands"},
	{"CD", "DR Congo"}, {"CF", "Central African Rep."}, {"CG", "Congo"},
	{"CH", "Switzerland"}, {"CI", "Ivory Coast"}, {"CK", "Cook Islands"},
	{"CL", "Chile"}, {"CM", "Cameroon"}, {"CN", "China"},
	{"CO", "Colombia"}, {"CR", "Costa Rica"}, {"CU", "Cuba"},
	{"CV", "Cape Verde"}, {"CW", "Curacao"}, {"CX", "Christmas Island"},
	{"CY", "Cyprus"}, {"CZ", "Czech Republic"}, {"DE", "Germany"},
	{"DJ", "Djibouti"}, {"DK", "Denmark"}, {"DM", "Dominica"},
	{"DO", "Dominican Republic"}, {"DZ", "Algeria"}, {"EC", "Ecuador"},
	{"EE", "Estonia"}, {"EG", "Egypt"}, {"EH", "Western Sahara"},
	{"ER", "Eritrea"}, {"ES", "Spain"}, {"ET", "Ethiopia"},
	{"FI", "Finland"}, {"FJ", "Fiji"}, {"FK", "Falkland Islands"},
	{"FM", "Micronesia"}, {"FO", "Faroe Islands"}, {"FR", "France"},
	{"GA", "Gabon"}, {"GB", "United Kingdom"}, {"GD", "Grenada"},
	{"GE", "Georgia"}, {"GF", "French Guiana"}, {"GG", "Guernsey"},
	{"GH", "Ghana"}, {"GI", "Gibraltar"}, {"GL", "Greenland"},
	{"GM", "Gambia"}, {"GN", "Guinea"}, {"GP", "Guadeloupe"},
	{"GQ", "Equatorial Guinea"}, {"GR", "Greece"}, {"GS", "South Georgia"},
	{"GT", "Guatemala"}, {"GU", "Guam"}, {"GW", "Guinea-Bissau"},
	{"GY", "Guyana"}, {"HK", "Hong Kong"}, {"HM", "Heard Island"},
	{"HN", "Honduras"}, {"HR", "Croatia"}, {"HT", "Haiti"},
	{"HU", "Hungary"}, {"ID", "Indonesia"}, {"IE", "Ireland"},
	{"IL", "Israel"}, {"IM", "Isle of Man"}, {"IN", "India"},
	{"IO", "British Indian Ocean"}, {"IQ", "Iraq"}, {"IR", "Iran"},
	{"IS", "Iceland"}, {"IT", "Italy"}, {"JE", "Jersey"},
	{"JM", "Jamaica"}, {"JO", "Jordan"}, {"JP", "Japan"}, {"KE", "Kenya"},
	{"KG", "Kyrgyzstan"}, {"KH", "Cambodia"}, {"KI", "Kiribati"},
	{"KM", "Comoros"}, {"KN", "St Kitts and Nevis"}, {"KP", "North Korea"},
	{"KR", "South Korea"}, {"KW", "Kuwait"}, {"KY", "Cayman Islands"},
	{"KZ", "Kazakhstan"}, {"LA", "Laos"}, {"LB", "Lebanon"},
	{"LC", "St Lucia"}, {"LI", "Liechtenstein"}, {"LK", "Sri Lanka"},
	{"LR", "Liberia"}, {"LS", "Lesotho"}, {"LT", "Lithuania"},
	{"LU", "Luxembourg"}, {"LV", "Latvia"}, {"LY", "Libya"},
	{"MA", "Morocco"}, {"MC", "Monaco"}, {"MD", "Moldova"},
	{"ME", "Montenegro"}, {"MF", "St Martin (French)"},
	{"MG", "Madagascar"}, {"MH", "Marshall Islands"},
	{"MK", "North Macedonia"}, {"ML", "Mali"}, {"MM", "Myanmar"},
	{"MN", "Mongolia"}, {"MO", "Macau"},
	{"MP", "Northern Mariana Islands"}, {"MQ", "Martinique"},
	{"MR", "Mauritania"}, {"MS", "Montserrat"}, {"MT", "Malta"},
	{"MU", "Mauritius"}, {"MV", "Maldives"}, {"MW", "Malawi"},
	{"MX", "Mexico"}, {"MY", "Malaysia"}, {"MZ", "Mozambique"},
	{"NA", "Namibia"}, {"NC", "New Caledonia"}, {"NE", "Niger"},
	{"NF", "Norfolk Island"}, {"NG", "Nigeria"}, {"NI", "Nicaragua"},
	{"NL", "Netherlands"}, {"NO", "Norway"}, {"NP", "Nepal"},
	{"NR", "Nauru"}, {"NU", "Niue"}, {"NZ", "New Zealand"}, {"OM", "Oman"},
	{"PA", "Panama"}, {"PE", "Peru"}, {"PF", "French Polynesia"},
	{"PG", "Papua New Guinea"}, {"PH", "Philippines"}, {"PK", "Pakistan"},
	{"PL", "Poland"}, {"PM", "St Pierre and Miquelon"}, {"PN", "Pitcairn"},
	{"PR", "Puerto Rico"}, {"PS", "Palestine"}, {"PT", "Portugal"},
	{"PW", "Palau"}, {"PY", "Paraguay"}, {"QA", "Qatar"},
	{"RE", "Reunion"}, {"RO", "Romania"}, {"RS", "Serbia"},
	{"RU", "Russia"}, {"RW", "Rwanda"}, {"SA", "Saudi Arabia"},
	{"SB", "Solomon Islands"}, {"SC", "Seychelles"}, {"SD", "Sudan"},
	{"SE", "Sweden"}, {"SG", "Singapore"}, {"SH", "St Helena"},
	{"SI", "Slovenia"}, {"SJ", "Svalbard and Jan Mayen"},
	{"SK", "Slovakia"}, {"SL", "Sierra Leone"}, {"SM", "San Marino"},
	{"SN", "Senegal"}, {"SO", "Somalia"}, {"SR", "Suriname"},
	{"SS", "South Sudan"}, {"ST", "Sao Tome and Principe"},
	{"SV", "El Salvador"}, {"SX", "St Maarten"}, {"SY", "Syria"},
	{"SZ", "Eswatini"}, {"TA", "Tristan da Cunha"},
	{"TC", "Turks and Caicos Is"}, {"TD", "Chad"},
	{"TF", "French Southern Lands"}, {"TG", "Togo"}, {"TH", "Thailand"},
	{"TJ", "Tajikistan"}, {"TK", "Tokelau"}, {"TL", "East Timor"},
	{"TM", "Turkmenistan"}, {"TN", "Tunisia"}, {"TO", "Tonga"},
	{"TR", "Turkey"}, {"TT", "Trinidad and Tobago"}, {"TV", "Tuvalu"},
	{"TW", "Taiwan"}, {"TZ", "Tanzania"}, {"UA", "Ukraine"},
	{"UG", "Uganda"}, {"UM", "US Outlying Islands"},
	{"US", "United States"}, {"UY", "Uruguay"}, {"UZ", "Uzbekistan"},
	{"VA", "Vatican City"}, {"VC", "St Vincent"}, {"VE", "Venezuela"},
	{"VG", "British Virgin Islands"}, {"VI", "US Virgin Islands"},
	{"VN", "Vietnam"}, {"VU", "Vanuatu"}, {"WF", "Wallis and Futuna"},
	{"WS", "Samoa"}, {"XK", "Kosovo"}, {"YE", "Yemen"}, {"YT", "Mayotte"},
	{"ZA", "South Africa"}, {"ZM", "Zambia"}, {"ZW", "Zimbabwe"},
	/* clang-format on */
};

static int compare(const void *code, const void *row)
{
	return strcmp(code, ((const struct country *)row)->code);
}

const char *country_name(const char *code)
{
	const struct country *c = bsearch(code, countries, ARRAY_LEN(countries),
					  sizeof(countries[0]), compare);

	return c ? c->name : "";
}
