"""Which part of the large families the fast suite runs; CI runs all of them (tests/conftest.py marks the rest slow)."""

from __future__ import annotations

#: Every n-th test of a file (or of one function of it), so that no file takes the fast suite more than about a second
#: of CPU: it is to end in two minutes on two cores.
#: A file that is not named runs whole, but for what runs on PostgreSQL as well.
_EVERY_NTH = {
    2: (
        "architecture/test_imports.py cli/test_case_files.py cli/test_lender_cli.py cli/test_telegram.py "
        "csv/test_templates.py faults/test_ways_on.py ledger/test_adjudication.py parties/test_case_files.py "
        "parties/test_consents.py road/test_inbox.py road/test_notices.py road/test_reaching.py road/test_silence.py "
        "road/test_store.py standins/test_stripe.py understanding/test_corpora.py understanding/test_slots.py "
        "understanding/test_times.py web/test_checking.py web/test_papers.py words/test_foreign.py "
        "words/test_render.py words/test_segments.py"),
    3: (
        "cli/test_house.py close/test_bank_file.py contracts/test_stripe_afterwards.py contracts/test_stripe_told.py "
        "contracts/test_twilio_signature.py csv/test_errors.py explain/test_explain.py ledger/test_figures.py "
        "parties/test_holds.py parties/test_narrowing.py payments/test_allocation.py payments/test_cards_on_file.py "
        "payments/test_disputes.py payments/test_places.py payments/test_year.py plans/test_schedule.py "
        "road/test_telegram_in_process.py road/test_turns.py "
        "scenarios/test_plan_years.py::test_a_life_that_broke_a_promise_keeps_it_now standins/test_stripe_back.py "
        "standins/test_stripe_bank.py standins/test_stripe_saved.py standins/test_stripe_trouble.py "
        "standins/test_twilio.py telegram/test_talking.py telegram/test_updates.py understanding/test_plan_words.py "
        "web/test_cards.py web/test_hooks.py web/test_plan_page.py "
        "console/test_isolation.py::test_ones_own_ids_are_somebodys"),
    4: (
        "collections/test_assistance.py collections/test_write_offs.py collections/test_reversals.py "
        "collections/test_returns.py collections/test_worklist.py engine/test_backup.py engine/test_together.py "
        "mail/test_email_road.py mail/test_restored.py mail/test_killed.py reports/test_foots.py web/test_account.py "
        "campaigns/test_segments.py campaigns/test_report.py console/test_contacts.py opening/test_agencies.py "
        "cli/test_desk.py cli/test_rotation.py contracts/test_stripe_promises.py contracts/test_telegram.py "
        "parties/test_apply.py parties/test_cases.py payments/test_refund_facts.py payments/test_refunds.py "
        "payments/test_requests.py payments/test_suspicions_money_back.py scenarios/test_demo.py "
        "scenarios/test_three_days.py standins/test_processes.py statements/test_paper.py "
        "understanding/test_grammar.py"),
    5: (
        "cli/test_reaching.py csv/test_commands.py ledger/test_ledger_command.py understanding/test_intents.py "
        "web/test_telegram_hook.py "
        "console/test_routes.py::test_whoever_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing "
        "console/test_isolation.py::test_ones_own_ids_are_acted_on_or_refused_in_words "
        "console/test_headers.py::test_no_file_but_the_pages_own_can_be_fetched"),
    6: (
        "collections/test_placement.py collections/test_offers.py campaigns/test_campaign_cli.py "
        "campaigns/test_foresight.py campaigns/test_alike.py dunning/test_cli.py mail/test_runs.py "
        "mail/test_mail_cli.py mail/test_interrupted.py reports/test_command.py console/test_accounts.py "
        "console/test_campaigns.py "
        "campaigns/test_life.py csv/test_parties.py csv/test_table.py ledger/test_undo.py parties/test_gate.py "
        "payments/test_life.py payments/test_orders.py payments/test_two_payers.py "
        "road/test_deliver.py understanding/test_fixed_words.py"),
    7: (
        "architecture/test_boundaries.py close/test_commands.py close/test_posting_file.py csv/test_order.py "
        "scenarios/test_payment_machine.py"),
    8: (
        "campaigns/test_sending.py campaigns/test_planning.py collections/test_footing.py "
        "dunning/test_people_first.py "
        "opening/test_commands.py opening/test_held.py "
        "conversations/test_plans_on_the_road.py csv/test_resuming.py ledger/test_charges.py "
        "ledger/test_remittances.py road/test_outbox.py understanding/test_model.py web/test_passcode.py "
        "web/test_uploads.py "
        "console/test_api.py::test_what_a_view_answers_is_what_its_description_says "
        "console/test_api.py::test_no_amount_is_a_fraction_and_no_answer_is_html "
        "console/test_headers.py::test_whatever_is_answered_to_strangers_is_as_careful "
        "console/test_headers.py::test_every_answer_to_staff_is_kept_nowhere_framed_nowhere_and_runs_nothing_of_others "
        "console/test_planting.py::test_a_name_on_a_page_is_neither_run_nor_rendered_and_in_a_list_no_formula "
        "console/test_planting.py::test_words_of_a_form_are_in_no_log_no_address_and_no_error"),
    9: (
        "close/test_paper.py csv/test_posting.py importers/test_x12_oracles.py parties/test_preferences.py "
        "payments/test_suspicions_at_once.py statements/test_content.py web/test_doors.py"),
    10: (
        "words/test_buttons.py"),
    12: (
        "opening/test_faults.py opening/test_takeover.py "
        "conversations/test_plans.py conversations/test_transcripts.py ledger/test_verify.py "
        "policy/test_rules_turned_off.py"),
    16: (
        "campaigns/test_sets.py dunning/test_months.py "
        "cli/test_chat.py conversations/test_states.py faults/test_faults.py importers/test_x12_properties.py "
        "plans/test_opt_out.py policy/test_property.py reconcile/test_reconcile.py road/test_matters.py "
        "scenarios/test_telegram_serving.py web/test_paying.py"),
    24: (
        "campaigns/test_crashes.py dunning/test_killed.py "
        "cli/test_plans_cli.py conversations/test_random.py csv/test_record.py ledger/test_properties.py "
        "plans/test_life.py plans/test_offers.py reconcile/test_at_stripe.py scenarios/test_random_conversations.py "
        "understanding/test_command.py words/test_templates.py"),
    40: (
        "opening/test_crashes.py opening/test_property.py "
        "cli/test_payments_cli.py close/test_day.py conversations/test_household.py conversations/test_promises.py "
        "payments/test_events.py plans/test_changes.py plans/test_money.py reconcile/test_crashes.py "
        "scenarios/test_days.py"),
    80: (
        "conversations/test_transcripts.py::test_the_conversation_goes_the_same_way_on_telegram plans/test_days.py "
        "plans/test_suspicions.py plans/test_suspicions_stops.py road/test_calling.py road/test_crashes.py "
        "road/test_telegram_crashes.py scenarios/test_crashes.py scenarios/test_people.py"),
}

THINNED = {f"tests/{name}": nth for nth, names in _EVERY_NTH.items() for name in names.split()}

#: Of the tests that run on SQLite as well, wherever their file is not named above.
EVERY_NTH_ON_POSTGRESQL = 8
