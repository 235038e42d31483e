"""Which part of the large families the fast suite runs; CI runs all of them (tests/conftest.py marks the rest slow)."""

from __future__ import annotations

#: Every n-th test of a file (or of one function of it), so that what is left of a file takes about a third of a
#: second of CPU beside its dearest test: the fast suite is to end in two minutes on two cores.
#: A file that is not named runs whole, but for what runs on PostgreSQL as well.
_EVERY_NTH = {
    2: (
        "architecture/test_promises.py campaigns/test_simulation.py campaigns/test_statements_per_row.py "
        "cli/test_case_files.py cli/test_lender_cli.py cli/test_telegram.py config/test_settings.py "
        "console/test_planting.py contracts/test_stripe_books.py contracts/test_stripe_events.py "
        "dunning/test_next_step.py dunning/test_one_bad_account.py dunning/test_ways.py "
        "explain/test_source_lines.py faults/test_ways_on.py importers/test_x12_samples.py "
        "ledger/test_adjudication.py ledger/test_long_files.py parties/test_chats.py parties/test_consents.py "
        "parties/test_links.py payments/test_taken_back.py plans/test_autopay_off.py policy/test_register.py "
        "road/test_cards.py road/test_message_life.py understanding/test_slots.py understanding/test_times.py "
        "web/test_checking.py words/test_foreign.py words/test_render.py words/test_segments.py"),
    3: (
        "campaigns/test_send_all.py close/test_bank_file.py collections/test_clocks.py "
        "collections/test_commands.py collections/test_plans.py contracts/test_email.py "
        "contracts/test_stripe_afterwards.py contracts/test_stripe_faults.py contracts/test_twilio_signature.py "
        "payments/test_allocation.py payments/test_credits.py policy/test_book.py reports/test_counts.py "
        "road/test_inbox.py "
        "scenarios/test_plan_years.py::test_a_life_that_broke_a_promise_keeps_it_now standins/test_stripe_back.py "
        "standins/test_stripe_bank.py standins/test_stripe_trouble.py standins/test_twilio.py web/test_hooks.py "
        "web/test_languages.py"),
    4: (
        "architecture/test_imports.py campaigns/test_report.py "
        "console/test_isolation.py::test_ones_own_ids_are_somebodys console/test_sentences.py "
        "ledger/test_overlap.py parties/test_holds.py payments/test_refund_facts.py plans/test_schedule.py "
        "policy/test_replay.py reports/test_foots.py road/test_notices.py scenarios/test_demo.py "
        "understanding/test_plan_words.py"),
    5: (
        "cli/test_reaching.py console/test_headers.py::test_no_file_but_the_pages_own_can_be_fetched "
        "console/test_routes.py::test_whoever_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing "
        "contracts/test_ports.py contracts/test_stripe_promises.py ledger/test_ledger_command.py "
        "parties/test_narrowing.py road/test_silence.py scenarios/test_plan_years.py understanding/test_grammar.py"),
    6: (
        "campaigns/test_alike.py campaigns/test_foresight.py cli/test_rotation.py close/test_second_person.py "
        "csv/test_table.py dunning/test_cli.py ledger/test_figures.py parties/test_apply.py "
        "parties/test_case_files.py payments/test_cards_on_file.py payments/test_life.py payments/test_requests.py "
        "policy/test_gate_facts.py road/test_reaching.py road/test_store.py understanding/test_corpora.py"),
    7: (
        "architecture/test_boundaries.py cli/test_keys.py close/test_posting_file.py "
        "console/test_isolation.py::test_ones_own_ids_are_acted_on_or_refused_in_words "
        "contracts/test_stripe_told.py payments/test_two_payers.py standins/test_stripe_saved.py "
        "statements/test_paper.py web/test_handing_over.py web/test_telegram_hook.py"),
    8: (
        "cli/test_links_cli.py console/test_api.py::test_no_amount_is_a_fraction_and_no_answer_is_html "
        "console/test_headers.py::test_whatever_is_answered_to_strangers_is_as_careful csv/test_resuming.py "
        "engine/test_together.py opening/test_commands.py opening/test_held.py web/test_passcode.py "
        "web/test_uploads.py web/test_wishes.py"),
    9: (
        "close/test_paper.py contracts/test_telegram.py parties/test_cases.py payments/test_suspicions_at_once.py "
        "payments/test_year.py policy/test_carrier_caps.py web/test_doors.py"),
    10: (
        "cli/test_house.py csv/test_commands.py explain/test_explain.py policy/test_wording.py "
        "understanding/test_intents.py"),
    12: (
        "campaigns/test_campaign_cli.py cli/test_contacts_cli.py cli/test_why.py mail/test_mail_cli.py "
        "parties/test_gate.py telegram/test_talking.py understanding/test_fixed_words.py"),
    16: (
        "campaigns/test_segments.py collections/test_news.py console/test_passkeys.py console/test_signing.py "
        "console/test_why.py conversations/test_plans_on_the_road.py faults/test_faults.py "
        "importers/test_x12_properties.py mail/test_runs.py payments/test_disputes.py payments/test_places.py "
        "payments/test_suspicions_money_back.py plans/test_opt_out.py reports/test_command.py road/test_deliver.py "
        "road/test_matters.py road/test_turns.py scenarios/test_telegram_serving.py web/test_paying.py"),
    20: (
        "campaigns/test_people_first.py cli/test_desk.py "
        "console/test_api.py::test_what_a_view_answers_is_what_its_description_says console/test_form_faults.py "
        "console/test_headers.py console/test_refusals.py console/test_routes.py csv/test_templates.py "
        "importers/test_x12_oracles.py payments/test_refunds.py plans/test_verdicts.py reconcile/test_reconcile.py "
        "standins/test_processes.py standins/test_stripe.py web/test_papers.py"),
    24: (
        "campaigns/test_sending.py cli/test_plans_cli.py close/test_agencies.py console/test_accounts.py "
        "console/test_campaigns.py console/test_cases.py console/test_chargebacks.py console/test_rates.py "
        "console/test_spanish.py conversations/test_random.py ledger/test_properties.py opening/test_faults.py "
        "parties/test_preferences.py plans/test_offers.py reconcile/test_at_stripe.py statements/test_content.py "
        "web/test_cards.py"),
    32: (
        "campaigns/test_life.py console/test_people.py csv/test_errors.py payments/test_orders.py "
        "plans/test_life.py road/test_outbox.py web/test_account.py words/test_buttons.py"),
    48: (
        "cli/test_payments_cli.py close/test_day.py collections/test_assistance.py collections/test_worklist.py "
        "collections/test_write_offs.py console/test_isolation.py "
        "console/test_planting.py::test_a_name_on_a_page_is_neither_run_nor_rendered_and_in_a_list_no_formula "
        "console/test_planting.py::test_words_of_a_form_are_in_no_log_no_address_and_no_error "
        "console/test_reports.py conversations/test_household.py conversations/test_promises.py "
        "conversations/test_transcripts.py csv/test_parties.py mail/test_restored.py opening/test_agencies.py "
        "payments/test_events.py plans/test_changes.py plans/test_money.py plans/test_notices.py "
        "scenarios/test_days.py telegram/test_updates.py understanding/test_model.py words/test_templates.py"),
    64: (
        "collections/test_returns.py collections/test_reversals.py console/test_api.py "
        "console/test_contact_changes.py console/test_contacts.py "
        "console/test_headers.py::test_every_answer_to_staff_is_kept_nowhere_framed_nowhere_and_runs_nothing_of_others "
        "console/test_looked.py conversations/test_plans.py engine/test_backup.py ledger/test_charges.py "
        "opening/test_takeover.py plans/test_found_by_years.py web/test_plan_page.py"),
    80: (
        "collections/test_offers.py console/test_imports.py console/test_lists.py console/test_offers.py "
        "console/test_policy.py console/test_undo.py csv/test_record.py dunning/test_people_first.py "
        "ledger/test_remittances.py ledger/test_undo.py mail/test_email_road.py plans/test_days.py "
        "plans/test_suspicions_stops.py policy/test_rules_turned_off.py "
        "road/test_calling.py scenarios/test_crashes.py"),
    120: (
        "console/test_inbox.py console/test_money.py csv/test_posting.py plans/test_misses.py"),
    160: (
        "console/test_own_words.py "
        "conversations/test_transcripts.py::test_the_conversation_goes_the_same_way_on_telegram"),
    240: (
        "collections/test_placement.py conversations/test_states.py policy/test_property.py"),
    320: (
        "ledger/test_verify.py"),
}

#: What is dear by itself: processes that are killed, whole lives, random days. None of it is in the fast suite.
_IN_CI_ALONE = (
    "architecture/test_boundaries.py::test_all_sql_stands_in_the_store campaigns/test_crashes.py "
    "campaigns/test_planning.py campaigns/test_sets.py cli/test_chat.py close/test_commands.py "
    "collections/test_footing.py collections/test_killed.py console/test_fuzz.py "
    "console/test_spanish.py::test_every_step_in_the_trail_is_said_in_words csv/test_order.py "
    "dunning/test_duplicates.py dunning/test_killed.py dunning/test_months.py ledger/test_killed.py "
    "ledger/test_two_imports.py mail/test_interrupted.py mail/test_killed.py opening/test_crashes.py "
    "opening/test_property.py opening/test_steps.py plans/test_suspicions.py reconcile/test_crashes.py "
    "road/test_calling.py::test_killed_at_every_instant_and_again_during_recovery_it_ends_in_one_charge "
    "road/test_crashes.py road/test_telegram_crashes.py road/test_telegram_in_process.py "
    "scenarios/test_payment_machine.py scenarios/test_people.py "
    "scenarios/test_plan_years.py::test_ten_plans_of_three_years_keep_every_promise_and_end_as_their_facts_say "
    "scenarios/test_random_conversations.py scenarios/test_three_days.py standins/test_stripe_books.py "
    "understanding/test_command.py")

THINNED = {f"tests/{name}": nth for nth, names in _EVERY_NTH.items() for name in names.split()}
IN_CI_ALONE = frozenset(f"tests/{name}" for name in _IN_CI_ALONE.split())

#: Of the tests that run on SQLite as well, wherever their file is not named above.
EVERY_NTH_ON_POSTGRESQL = 8
