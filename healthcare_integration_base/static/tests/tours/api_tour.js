// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("integration_api_page", {
  steps: () => [
    {
      content: "search by several words",
      trigger: ".o_integration_api_search input",
      run: "edit post validations",
    },
    {
      content: "one route is left",
      trigger:
        ".o_integration_api_list:not(:has(.o_integration_api_entry:nth-of-type(2)))",
    },
    {
      content: "open it",
      trigger: ".o_integration_api_entry:contains('/validations')",
      run: "click",
    },
    {
      content: "its scope",
      trigger: ".o_integration_api_detail .badge:contains('validations:read')",
    },
    {
      content: "fields of its body",
      trigger: ".o_integration_api_schema code:contains('value')",
    },
    {
      content: "an example of the body",
      trigger: ".o_integration_api_schema pre:contains('GLV-M')",
    },
    {
      content: "a call to copy",
      trigger: ".o_integration_api_code pre:contains('curl')",
    },
    {
      content: "nothing fits",
      trigger: ".o_integration_api_search input",
      run: "edit nothingoftheword",
    },
    {trigger: ".o_integration_api_groups p:contains('Nothing fits')"},
    {
      content: "an event that goes out",
      trigger: ".o_integration_api_search input",
      run: "edit tour.partner.changed",
    },
    {
      trigger: ".o_integration_api_entry:contains('tour.partner.changed')",
      run: "click",
    },
    {
      content: "its type is exact, its data are those of the schema",
      trigger:
        ".o_integration_api_schema pre:contains('healthcare.tour.partner.changed.v1'):contains('tour_number')",
    },
  ],
});
