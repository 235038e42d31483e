"""Utterances by the reading they must have."""

from __future__ import annotations

PUBLISHED_INTENTS = (
    "balance explain due_date statement itemised_bill insurance_status pay minimum_payment plan receipt already_paid "
    "refund_status dispute insurance_update cannot_pay saved_card wrong_number deceased human opt_out opt_in help "
    "capabilities language preferences is_this_real are_you_a_robot greeting thanks goodbye yes no back repeat "
    "emergency out_of_scope").split()

OPT_OUT = (
    "stop", "STOP", "Stop.", "stop!!!", " s t o p ", "STOPALL", "stop all", "quit", "END", "end.", "revoke", "opt out",
    "opt-out", "OptOut", "cancel", "CANCEL", "unsubscribe", "please stop", "stop please", "Stop texting me", "stop it",
    "please stop texting me", "stop sending me messages", "stop all messages", "quit texting me", "don't text me again",
    "do not contact me", "no more texts", "no more messages please", "remove me from your list",
    "take me off this list",
    "remove my number", "leave me alone", "lose my number", "unsubscribe me", "opt me out", "i revoke my consent",
    "wrong number leave me alone", "i want you to stop texting me", "can you stop texting me please",
    "alto", "ALTO", "parar", "pare", "baja", "no más", "No mas", "no más mensajes", "no mas mensajes por favor",
    "deje de mandarme mensajes", "dejen de escribirme", "ya no me manden mensajes", "no me escriban más",
    "no quiero recibir mensajes", "no quiero más mensajes", "quítenme de la lista", "borren mi número", "basta",
    "darme de baja", "dejeme en paz", "pare de mandar mensajes", "no me molesten",
    "cancel my texts", "cancelar los mensajes")

NOT_OPT_OUT = (
    "don't stop texting me", "why did you stop texting me", "did you stop sending statements", "i quit my job",
    "at the end of the month", "can i stop by the office", "cancel my plan", "cancel my payment", "end my payment plan",
    "stop my autopay", "stop charging my card", "cancelar mi plan", "quiero cancelar mi cuenta", "i can't stop crying",
    "para mi mamá", "por favor", "no me mandaron el recibo", "no recibí mensajes", "the bus stop", "weekend", "stopped",
    "stpo", "is this the end of it?", "no más de $50", "alta", "bajar el pago")

HELP = ("help", "HELP", "help!", "info", "Help please", "ayuda", "AYUDA", "información")
OPT_IN = ("start", "START", "unstop", " Start! ")
NOT_OPT_IN = ("yes", "start please", "y", "sí", "start over", "restart", "when did this start", "continue")
HUMAN = (
    "human", "HUMAN", "agent", "person please", "representative", "i want to talk to a person",
    "can i speak to someone",
    "let me talk to a real person", "call me please", "can someone call me", "i need a human",
    "speak with a representative",
    "persona", "representante", "agente por favor", "quiero hablar con una persona", "necesito hablar con alguien",
    "páseme con un representante", "que me llamen", "me pueden llamar?")
NOT_HUMAN = ("are you a real person?", "is this a human", "am i talking to a person?", "es usted una persona?",
             "i paid in person", "eres humano?")
EMERGENCY = (
    "i want to kill myself", "thinking about suicide", "i want to die", "i can't breathe", "i have chest pain",
    "this is an emergency", "emergency", "my husband is having a heart attack", "i took an overdose",
    "quiero morir", "me quiero matar", "no puedo respirar", "dolor de pecho", "es una emergencia",
    "quiero quitarme la vida")
NOT_EMERGENCY = (
    "why is my emergency room bill so high", "bill from my emergency visit", "this bill is killing me",
    "i owe for chest pain visit", "cuenta de la sala de emergencia", "how much for the heart attack visit",
    "this will be the death of me", "emergency room charge")
WRONG_NUMBER = ("wrong number", "you have the wrong number", "this is the wrong person", "i don't know this person",
                "this is not her number", "número equivocado", "se equivocó de número", "no conozco a esa persona")
NOT_WRONG_NUMBER = ("wrong number on my bill", "wrong amount", "the wrong insurance", "number 2", "mi número es nuevo")

INTENTS: dict[str, tuple[str, ...]] = {
    "balance": ("how much do i owe?", "whats my balance", "what do i owe", "balence pls", "how much is left on my bill",
                "cuánto debo", "cual es mi saldo", "cuanto es lo que debo todavia"),
    "explain": ("why do i owe this?", "why is it so high", "explain my bill please", "what is this charge for",
                "por qué debo esto?", "por que me cobran tanto", "no entiendo la factura"),
    "insurance_status": ("did my insurance pay?", "has the insurance paid yet", "what's the status of my claim",
                         "ya pagó mi seguro?", "qué dice el seguro"),
    "statement": ("can i see my bill", "send me a statement", "statment", "mándeme la factura", "estado de cuenta"),
    "itemised_bill": ("i want an itemized bill", "list of all the charges", "factura detallada por favor"),
    "pay": ("i want to pay", "pay my bill", "how do i pay", "quiero pagar", "cómo pago"),
    "receipt": ("can i get a receipt", "reciept please", "quiero un recibo", "comprobante de pago"),
    "already_paid": ("i already paid this", "i paid last week", "ya pagué", "ya lo pagué la semana pasada"),
    "dispute": ("this bill is wrong", "i never went there", "there's a mistake on my bill", "no debo eso",
                "hay un error en la cuenta"),
    "cannot_pay": ("i can't afford this", "i lost my job", "i cant pay right now", "no puedo pagar", "no tengo dinero"),
    "insurance_update": ("i have new insurance", "my insurance changed", "tengo seguro nuevo", "cambié de seguro"),
    "plan": ("can i do a payment plan", "can i pay $50 a month", "en cuotas", "puedo pagar 20 dólares al mes"),
    "language": ("español", "in english please", "habla español?", "change language"),
    "is_this_real": ("is this a scam?", "who is this", "es una estafa?", "quién es"),
    "are_you_a_robot": ("are you a robot?", "is this a real person", "es un robot?", "am i talking to a human"),
    "deceased": ("my mother passed away", "mi esposo falleció"),
    "bankrupt": ("i filed bankruptcy", "estoy en bancarrota"),
    "attorney": ("talk to my lawyer", "mi abogado dice que no"),
    "greeting": ("hi", "hello", "hola", "buenos días"),
    "thanks": ("thanks", "thank you so much", "ok thanks", "gracias", "muchas gracias"),
    "goodbye": ("bye", "adiós"),
    "yes": ("yes", "Yes!", "yep", "ok", "yes please", "sí", "si", "claro", "sí por favor", "\U0001f44d"),
    "no": ("no", "nope", "no thanks", "no gracias", "not now", "ahora no"),
    "back": ("back", "go back", "never mind", "volver", "atrás"),
    "stop_which": ("cancel my plan", "stop my payments", "cancelar", "cancelar mi plan"),
    "out_of_scope": ("what's the weather", "tell me a joke", "qué tiempo hace", "xkcd qwop"),
}
