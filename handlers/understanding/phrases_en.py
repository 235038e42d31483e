"""What people write in English, by intent: words that must come in this order, with at most two others between."""

from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    "balance": (
        "balance", "how much owe", "how much do i owe", "what do i owe", "what i owe", "amount due",
        "how much is my bill", "how much bill", "do i owe", "owe anything", "how much left", "what is left to pay",
        "bal", "total due", "how much due", "what is my bill", "how much now", "still owe", "how much need to pay",
        "how much i have to pay", "whats owed",
    ),
    "explain": (
        "why", "why owe", "why do i owe", "why is it so high", "explain", "explain my bill", "what is this for",
        "what is this charge", "what is this bill for", "breakdown", "break down", "how did you get", "how come",
        "dont understand bill", "what am i paying for", "so high", "so expensive", "what charge for", "why charged",
        "make sense of", "where does this come from", "understand my bill", "what is this bill", "whats this for",
        "whats this charge", "confused about bill", "why so much", "what am i being charged for", "deductible",
        "what is coinsurance", "what is copay",
    ),
    "due_date": (
        "due date", "when is it due", "when is due", "when do i have to pay", "when pay by", "deadline", "by when",
        "how long do i have", "when is my bill due", "when is payment due", "last day to pay",
    ),
    "statement": (
        "statement", "send me my bill", "see my bill", "copy of my bill", "send bill", "my bill pdf", "view bill",
        "look at my bill", "show bill", "resend bill", "get my bill", "paper bill", "email bill", "invoice",
    ),
    "itemised_bill": (
        "itemized", "itemised", "itemized bill", "line by line", "detailed bill", "every charge", "list of charges",
        "all the charges", "itemization", "line items", "each charge",
    ),
    "insurance_status": (
        "did insurance pay", "has insurance paid", "insurance status", "insurance paid", "insurance cover",
        "insurance pay", "waiting on insurance", "insurance pending", "claim status", "status of claim",
        "my insurance should", "did you bill insurance", "bill insurance", "sent to insurance",
        "insurance processed", "why didnt insurance", "insurance denied", "claim denied", "insurance supposed to",
        "medicare pay", "medicaid pay", "my plan paid",
    ),
    "pay": (
        "pay", "pay now", "pay my bill", "make a payment", "payment link", "send link", "want to pay",
        "ready to pay", "how do i pay", "where pay", "pay bill", "pay it off", "settle", "pay online", "can i pay",
        "put towards", "pay part", "pay some", "take care of my bill", "pay off", "send payment", "pay balance",
        "pymt",
    ),
    "minimum_payment": (
        "minimum", "minimum payment", "least i can pay", "smallest payment", "lowest payment", "minimum i can pay",
    ),
    "plan": (
        "payment plan", "installments", "instalments", "pay monthly", "monthly payments", "pay over time",
        "split payments", "set up plan", "pay a little at a time", "payments over", "spread out", "plan to pay",
        "a month", "per month", "pay in parts", "every month", "arrangement", "pay weekly", "make payments",
        "pay it in payments",
    ),
    "receipt": (
        "receipt", "proof of payment", "did my payment go through", "payment confirmation",
        "did you get my payment", "confirmation of payment", "was payment received", "payment go through",
        "payment received",
    ),
    "already_paid": (
        "already paid", "i paid", "paid this", "i have paid", "paid it", "paid last", "paid at the desk",
        "paid that", "i already sent payment", "paid in full", "paid the copay", "paid my copay", "paid my bill",
        "paid when i was there", "this was paid", "paid already", "sent a check", "mailed a check", "paid off",
        "i did pay",
    ),
    "refund_status": (
        "refund", "money back", "overpaid", "when refund", "where is my refund", "charged twice", "paid twice",
        "double charged",
    ),
    "dispute": (
        "dispute", "this is wrong", "bill is wrong", "not right", "mistake on bill", "error on bill", "never went",
        "i never had", "never got this", "didnt get this service", "wrong charge", "incorrect", "i disagree",
        "dont agree", "not my bill", "overcharged", "was not there", "wasnt there", "shouldnt owe",
        "should not owe", "i dont owe", "do not owe", "not paying this", "this isnt right", "charge is wrong",
        "amount is wrong", "fraud", "contest", "billed wrong", "wrong amount", "never saw this doctor",
        "refuse to pay",
    ),
    "insurance_update": (
        "new insurance", "insurance changed", "changed insurance", "wrong insurance", "update insurance",
        "different insurance", "i have insurance", "have other insurance", "secondary insurance",
        "you have old insurance", "insurance card", "add insurance", "got medicaid", "i have medicaid",
        "i have medicare", "have a new plan", "switched insurance", "my insurance is", "insurance",
    ),
    "cannot_pay": (
        "cant pay", "cannot pay", "cant afford", "cannot afford", "no money", "lost my job", "financial assistance",
        "financial help", "charity care", "need help paying", "help paying", "help with bill", "too poor",
        "unemployed", "hardship", "dont have the money", "dont have money", "on disability", "fixed income",
        "not able to pay", "unable to pay", "broke", "assistance", "discount", "laid off", "cant do that much",
        "too much for me", "low income",
    ),
    "saved_card": (
        "save my card", "saved card", "card on file", "autopay", "auto pay", "update my card", "remove my card",
        "new card", "automatic payments", "keep my card", "change card",
    ),
    "deceased": (
        "passed away", "died", "deceased", "is dead", "death", "passed last", "late husband", "late wife",
        "funeral",
    ),
    "bankrupt": (
        "bankruptcy", "bankrupt", "chapter 7", "chapter 13", "filed chapter",
    ),
    "attorney": (
        "attorney", "lawyer", "my lawyer", "law firm", "legal representation", "sue you", "suing",
    ),
    "preferences": (
        "dont text at", "text me after", "text me before", "not at night", "email instead", "email me instead",
        "call instead", "text only on", "quiet hours", "send by mail", "mail instead", "change how you contact",
        "preferences", "text me amounts", "send amounts by text", "different number", "change my number",
        "new phone number", "new number",
    ),
    "language": (
        "english", "in english", "spanish", "in spanish", "change language", "other language", "speak spanish",
        "speak english", "language", "english please",
    ),
    "capabilities": (
        "what can you do", "how does this work", "options", "menu", "what can i ask", "commands", "what do you do",
        "help me", "i need help", "can you help", "question", "have a question", "how to use",
    ),
    "is_this_real": (
        "is this real", "scam", "is this legit", "legit", "phishing", "who is this", "who are you", "how do i know",
        "spam", "is this a scam", "can i trust", "why do you need", "why need my", "who is texting",
        "how get my number", "is this safe", "fake",
    ),
    "are_you_a_robot": (
        "are you a robot", "robot", "are you human", "are you real", "bot", "are you a person", "am i talking to a",
        "is this a person", "is this automated", "real person or", "are you a bot", "chatbot", "is this ai",
        "are you ai", "computer", "is this a real person", "are you a human",
    ),
    "greeting": (
        "hi", "hello", "hey", "good morning", "good afternoon", "good evening", "hi there", "howdy", "yo",
        "greetings",
    ),
    "thanks": (
        "thanks", "thank you", "thx", "ty", "appreciate it", "thank u", "tysm", "great thanks", "perfect thanks",
        "awesome",
    ),
    "goodbye": (
        "bye", "goodbye", "see you", "have a good day", "take care", "good night", "talk later", "ttyl",
    ),
    "back": (
        "back", "go back", "never mind", "nevermind", "nvm", "start over", "main menu", "forget it", "previous",
        "undo", "changed my mind",
    ),
    "repeat": (
        "repeat", "say that again", "what did you say", "again", "come again", "repeat that", "send again",
        "resend", "one more time", "didnt get that", "pardon",
    ),
    "medical": (
        "symptoms", "side effects", "fever", "dosage", "prescription", "refill", "medication", "medicine",
        "test results", "lab results", "rash", "pregnant", "infection", "is it normal", "hurts", "sick", "pain",
        "diagnosis", "blood pressure", "vaccine",
    ),
    "out_of_scope": (
        "weather", "joke", "news", "appointment", "reschedule", "schedule", "directions", "recipe", "song", "movie",
        "restaurant", "sports", "game", "flight", "hotel", "translate", "bitcoin", "stock", "pizza", "uber",
        "credit score", "loan", "electric bill", "water bill", "phone bill", "gas bill", "transfer money",
        "bank account", "crypto", "alarm", "timer", "playlist", "insurance quote", "car insurance", "mortgage",
        "my sisters bill", "my neighbors bill", "parking",
    ),
}
