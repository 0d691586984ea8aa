// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("integration_case_ignore", {
  steps: () => [
    {
      content: "The queue shows what waits",
      trigger: ".o_kanban_record:contains('Tour queue')",
      run: "click",
    },
    {
      content: "Open the case",
      trigger: ".o_data_row td:contains('on TOUR-1')",
      run: "click",
    },
    {trigger: "button[name='action_take']", run: "click"},
    {trigger: ".o_arrow_button_current:contains('In progress')"},
    {trigger: ".o_form_statusbar button:contains('Ignore')", run: "click"},
    {
      trigger: ".modal .o_field_widget[name='reason']:visible textarea",
      run: "edit They sent a test price",
    },
    {trigger: ".modal button:contains('Ignore case')", run: "click"},
    {trigger: "body:not(:has(.modal)) .ribbon:contains('Ignored')"},
  ],
});

tours.add("integration_case_dispute", {
  steps: () => [
    {trigger: "button[name='action_dispute']", run: "click"},
    {
      content: "The contact of the system is proposed",
      trigger: ".modal .o_field_widget[name='partner_id'] input:value('Tour Medical')",
    },
    {
      trigger: ".modal .o_field_widget[name='reason'] textarea",
      run: "edit The agreed price is 4.80 && press Tab",
    },
    {
      content: "The letter has the reason in it",
      trigger:
        ".modal .o_field_widget[name='body']:contains('The agreed price is 4.80')",
    },
    {trigger: ".modal button[name='action_send']", run: "click"},
    {trigger: "body:not(:has(.modal)) button[name='action_answered']"},
  ],
});
