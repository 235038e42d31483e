"""Which part of the large families the fast suite runs; CI runs all of them (tests/conftest.py marks the rest slow)."""

from __future__ import annotations

#: Every n-th test of a file (or of one function of it), so that no file takes the fast suite more than about a second
#: of CPU: it is to end in two minutes on two cores.
#: A file that is not named runs whole, but for what runs on PostgreSQL as well.
_EVERY_NTH = {
    2: (
        "campaigns/test_people_first.py campaigns/test_statements_per_row.py cli/test_case_files.py "
        "cli/test_lender_cli.py cli/test_telegram.py cli/test_why.py close/test_agencies.py "
        "collections/test_killed.py console/test_cases.py console/test_fuzz.py console/test_headers.py "
        "console/test_planting.py dunning/test_duplicates.py dunning/test_next_step.py "
        "dunning/test_one_bad_account.py faults/test_ways_on.py ledger/test_adjudication.py "
        "ledger/test_long_files.py ledger/test_overlap.py opening/test_steps.py parties/test_case_files.py "
        "parties/test_consents.py plans/test_autopay_off.py road/test_inbox.py road/test_notices.py "
        "road/test_reaching.py road/test_silence.py road/test_store.py standins/test_stripe.py "
        "understanding/test_corpora.py understanding/test_slots.py understanding/test_times.py web/test_checking.py "
        "web/test_wishes.py words/test_foreign.py words/test_render.py words/test_segments.py"),
    3: (
        "cli/test_house.py close/test_bank_file.py collections/test_commands.py console/test_api.py "
        "console/test_isolation.py::test_ones_own_ids_are_somebodys console/test_people.py console/test_rates.py "
        "console/test_reports.py contracts/test_stripe_afterwards.py contracts/test_stripe_told.py "
        "contracts/test_twilio_signature.py explain/test_explain.py parties/test_holds.py parties/test_narrowing.py "
        "payments/test_allocation.py payments/test_disputes.py payments/test_places.py payments/test_year.py "
        "plans/test_notices.py plans/test_schedule.py road/test_telegram_in_process.py road/test_turns.py "
        "scenarios/test_plan_years.py::test_a_life_that_broke_a_promise_keeps_it_now standins/test_stripe_back.py "
        "standins/test_stripe_bank.py standins/test_stripe_saved.py standins/test_stripe_trouble.py "
        "standins/test_twilio.py understanding/test_plan_words.py web/test_hooks.py"),
    4: (
        "architecture/test_imports.py campaigns/test_report.py campaigns/test_segments.py cli/test_desk.py "
        "cli/test_rotation.py collections/test_worklist.py console/test_isolation.py console/test_lists.py "
        "console/test_looked.py console/test_routes.py contracts/test_stripe_promises.py contracts/test_telegram.py "
        "csv/test_templates.py mail/test_restored.py parties/test_apply.py parties/test_cases.py "
        "payments/test_refund_facts.py payments/test_refunds.py payments/test_requests.py "
        "payments/test_suspicions_money_back.py reports/test_foots.py scenarios/test_demo.py "
        "standins/test_processes.py standins/test_stripe_books.py statements/test_paper.py "
        "understanding/test_grammar.py web/test_account.py web/test_papers.py"),
    5: (
        "cli/test_reaching.py console/test_headers.py::test_no_file_but_the_pages_own_can_be_fetched "
        "console/test_isolation.py::test_ones_own_ids_are_acted_on_or_refused_in_words console/test_money.py "
        "console/test_routes.py::test_whoever_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing "
        "ledger/test_ledger_command.py plans/test_found_by_years.py scenarios/test_plan_years.py "
        "web/test_telegram_hook.py"),
    6: (
        "campaigns/test_alike.py campaigns/test_foresight.py campaigns/test_life.py csv/test_table.py "
        "dunning/test_cli.py ledger/test_figures.py mail/test_interrupted.py mail/test_runs.py parties/test_gate.py "
        "payments/test_cards_on_file.py payments/test_life.py payments/test_two_payers.py reports/test_command.py "
        "road/test_deliver.py telegram/test_updates.py web/test_cards.py"),
    7: (
        "architecture/test_boundaries.py close/test_commands.py close/test_posting_file.py console/test_imports.py "
        "console/test_inbox.py console/test_own_words.py console/test_policy.py csv/test_order.py "
        "scenarios/test_payment_machine.py"),
    8: (
        "collections/test_assistance.py collections/test_footing.py collections/test_returns.py "
        "collections/test_reversals.py collections/test_write_offs.py "
        "console/test_api.py::test_no_amount_is_a_fraction_and_no_answer_is_html "
        "console/test_api.py::test_what_a_view_answers_is_what_its_description_says console/test_contacts.py "
        "console/test_headers.py::test_every_answer_to_staff_is_kept_nowhere_framed_nowhere_and_runs_nothing_of_others "
        "console/test_headers.py::test_whatever_is_answered_to_strangers_is_as_careful "
        "console/test_planting.py::test_a_name_on_a_page_is_neither_run_nor_rendered_and_in_a_list_no_formula "
        "console/test_planting.py::test_words_of_a_form_are_in_no_log_no_address_and_no_error console/test_undo.py "
        "csv/test_resuming.py engine/test_backup.py engine/test_together.py ledger/test_charges.py "
        "mail/test_email_road.py mail/test_killed.py opening/test_agencies.py opening/test_commands.py "
        "opening/test_held.py plans/test_misses.py road/test_outbox.py scenarios/test_three_days.py "
        "web/test_passcode.py web/test_uploads.py"),
    9: (
        "close/test_paper.py csv/test_errors.py importers/test_x12_oracles.py parties/test_preferences.py "
        "payments/test_suspicions_at_once.py statements/test_content.py web/test_doors.py web/test_plan_page.py"),
    10: (
        "csv/test_commands.py understanding/test_intents.py words/test_buttons.py"),
    12: (
        "campaigns/test_campaign_cli.py collections/test_offers.py conversations/test_plans.py "
        "conversations/test_transcripts.py csv/test_parties.py ledger/test_undo.py mail/test_mail_cli.py "
        "opening/test_faults.py opening/test_takeover.py policy/test_rules_turned_off.py telegram/test_talking.py "
        "understanding/test_fixed_words.py"),
    16: (
        "campaigns/test_planning.py campaigns/test_sets.py cli/test_chat.py console/test_signing.py "
        "conversations/test_plans_on_the_road.py conversations/test_states.py faults/test_faults.py "
        "importers/test_x12_properties.py ledger/test_remittances.py plans/test_opt_out.py "
        "reconcile/test_reconcile.py road/test_matters.py scenarios/test_telegram_serving.py web/test_paying.py"),
    24: (
        "campaigns/test_crashes.py campaigns/test_sending.py cli/test_plans_cli.py collections/test_placement.py "
        "console/test_accounts.py console/test_campaigns.py conversations/test_random.py csv/test_posting.py "
        "csv/test_record.py dunning/test_killed.py ledger/test_killed.py ledger/test_properties.py "
        "ledger/test_verify.py "
        "plans/test_life.py plans/test_offers.py reconcile/test_at_stripe.py scenarios/test_random_conversations.py "
        "understanding/test_command.py understanding/test_model.py words/test_templates.py"),
    32: (
        "dunning/test_months.py payments/test_orders.py policy/test_property.py"),
    48: (
        "cli/test_payments_cli.py close/test_day.py conversations/test_household.py conversations/test_promises.py "
        "opening/test_crashes.py opening/test_property.py payments/test_events.py plans/test_changes.py "
        "plans/test_money.py reconcile/test_crashes.py scenarios/test_days.py"),
    80: (
        "conversations/test_transcripts.py::test_the_conversation_goes_the_same_way_on_telegram "
        "dunning/test_people_first.py plans/test_days.py plans/test_suspicions.py plans/test_suspicions_stops.py "
        "road/test_calling.py road/test_crashes.py road/test_telegram_crashes.py scenarios/test_crashes.py "
        "scenarios/test_people.py"),
}

THINNED = {f"tests/{name}": nth for nth, names in _EVERY_NTH.items() for name in names.split()}

#: Of the tests that run on SQLite as well, wherever their file is not named above.
EVERY_NTH_ON_POSTGRESQL = 8
