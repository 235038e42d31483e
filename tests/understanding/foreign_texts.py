"""Texts that are none of ours, though many name money, bills or cards."""

from __future__ import annotations

FOREIGN = (
    "what's the weather like tomorrow", "set an alarm for six", "play some jazz", "book me a table for two",
    "how many calories are in an apple", "transfer 200 dollars from checking to savings", "what's my credit score",
    "what's the exchange rate for euros", "order a pizza", "how do i change a flat tire",
    "what is the capital of france",
    "tell me a joke", "how much is a plane ticket to miami", "my card was swallowed by the atm",
    "what is my credit limit",
    "who won the game last night", "remind me to buy milk", "turn off the lights", "how do you make lasagna",
    "what time is it in tokyo", "i need a new pin for my debit card", "schedule a meeting with bob at noon",
    "where is the nearest gas station", "what's on my calendar", "how old are you", "spell necessary",
    "i want to top up my phone", "what's the interest rate on my savings account", "how do i roll over my 401k",
    "is traffic bad on the way to work", "flip a coin", "add eggs to the shopping list",
    "qué tiempo hace mañana", "pon una alarma a las seis", "pon música de los ochenta",
    "cuántas calorías tiene una manzana",
    "transfiere 200 dólares a mi cuenta de ahorros", "a cómo está el dólar hoy", "pide una pizza",
    "cuál es la capital de francia", "cuéntame un chiste", "cuánto cuesta un boleto a miami",
    "el cajero se tragó mi tarjeta",
    "quién ganó el partido anoche", "recuérdame comprar leche", "apaga las luces de la sala", "cómo se hace la lasaña",
    "qué hora es en tokio", "qué tengo en mi calendario", "cuántos años tienes", "hay mucho tráfico",
    "cómo cambio una llanta", "mándale un correo a juan", "qué noticias hay hoy", "quién es el presidente",
    "a qué hora sale el tren", "cuál es el límite de mi tarjeta de crédito", "tira una moneda")

#: (text, ISO 639-1) of languages that we do not speak.
OTHER_LANGUAGES = (
    ("je ne comprends pas ma facture", "fr"), ("combien je dois payer", "fr"), ("eu não entendo a minha conta", "pt"),
    ("quero pagar minha fatura", "pt"), ("konbyen mwen dwe", "ht"), ("mwen pa pale angle", "ht"),
    ("tôi nợ bao nhiêu tiền", "vi"), ("magkano po ang utang ko", "tl"), ("ile jestem winien, proszę", "pl"),
    ("non capisco la bolletta", "it"), ("ich verstehe die rechnung nicht", "de"), ("我欠多少钱", "zh"),
    ("いくらですか", "ja"),
    ("얼마예요", "ko"), ("كم أدين لك", "ar"), ("сколько я должен", "ru"), ("скільки я винен", "uk"),
    ("मुझे कितना देना है", "hi"), ("আমি কত টাকা দেব", "bn"), ("میں کتنے پیسے دوں گا ہے", "ur"),
    ("چقدر بدهکارم", "fa"),
    ("כמה אני חייב", "he"), ("πόσα χρωστάω", "el"), ("ฉันเป็นหนี้เท่าไหร่", "th"))
