// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {registry} from "@web/core/registry";

/** From the list of all open cases into one of them. */
function open(text) {
  return [
    {
      content: "as a list",
      trigger: ".o_switch_view.o_list",
      run: "click",
    },
    {
      content: `open the case ${text}`,
      trigger: `.o_data_row td[name='name']:contains('${text}')`,
      run: "click",
    },
    {
      content: "nobody has it yet",
      trigger: ".o_form_view .o_arrow_button_current:contains('Open')",
    },
    {content: "take it", trigger: "button[name='action_take']", run: "click"},
    {
      content: "it is the clerk's now",
      trigger: ".o_form_view .o_arrow_button_current:contains('In progress')",
    },
  ];
}

registry.category("web_tour.tours").add("integration_clerk_finishes_cases", {
  steps: () => [
    ...open("Price 5.15 against 5.00"),
    {
      content: "accept the difference",
      trigger: "button[name='action_accept_difference']",
      run: "click",
    },
    {
      content: "what differs is shown",
      trigger: ".modal .o_data_row:contains('5.15')",
    },
    {
      content: "why it is accepted",
      trigger: ".modal .o_field_widget[name='reason'] input",
      run: "edit New price list",
    },
    {
      content: "accept",
      trigger: ".modal button[name='action_accept']",
      run: "click",
    },
    {
      content: "the case is closed",
      trigger: ".o_form_view .o_arrow_button_current:contains('Resolved')",
    },
    {
      content: "back to the cases",
      trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a",
      run: "click",
    },
    ...open("Unknown item ZX-9"),
    {
      content: "pick the product",
      trigger: "button[name='action_match_reference']:contains('Pick the Product')",
      run: "click",
    },
    {
      content: "type its name",
      trigger: ".modal .o_field_widget[name='product_id'] input",
      run: "edit Gloves",
    },
    {
      content: "choose it",
      trigger:
        ".o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option):contains('Gloves')",
      run: "click",
    },
    {
      content: "two messages wait for it",
      trigger: ".modal .o_field_widget[name='waiting_count']:contains('2')",
    },
    {
      content: "pick and replay",
      trigger: ".modal button[name='action_apply']",
      run: "click",
    },
    {content: "done", trigger: "body:not(:has(.modal))"},
    {
      content: "the messages are on their way",
      trigger: ".o_form_view .o_arrow_button_current:contains('In progress')",
    },
  ],
});
