"""The words and the looks of the hosted page, in English and Spanish."""

from __future__ import annotations

WORDS = {
    "en": {
        "pay": "Pay",
        "email": "Email",
        "number": "Card number",
        "exp": "Expiration (MM/YY)",
        "cvc": "CVC",
        "name": "Name on card",
        "zip": "ZIP",
        "back": "Back",
        "over": "This checkout page has expired.",
        "done": "This payment is complete.",
        "incomplete": "Your card information is incomplete.",
        "secure": "Test page. It stands in for the card processor, and no money moves.",
        "try": "Cards to try:",
        "good": "is paid",
        "declined": "is declined",
        "asks": "asks your bank first",
        "card_declined": "Your card was declined.",
        "insufficient_funds": "Your card has insufficient funds.",
        "expired_card": "Your card has expired.",
        "incorrect_cvc": "Your card's security code is incorrect.",
        "confirm": "Your bank asks you to confirm this payment.",
        "confirm_setup": "Your bank asks you to confirm that this card may be kept.",
        "yes": "Confirm payment",
        "yes_setup": "Confirm",
        "no": "Do not confirm",
        "setup": "Save a way to pay",
        "save": "Save",
        "saved": "This is saved.",
        "past": "Your card's expiration date is in the past.",
        "card": "Card",
        "bank": "US bank account",
        "routing": "Routing number",
        "account": "Account number",
        "holder": "Name on the account",
        "bank_incomplete": "Your bank account information is incomplete.",
        "bank_unknown": "This test page does not know that bank account.",
        "agree": "By continuing you allow debits from this bank account.",
        "lost_card": "Your card was declined.",
        "stolen_card": "Your card was declined.",
        "comes_back": "comes back unpaid",
    },
    "es": {
        "pay": "Pagar",
        "email": "Correo electrónico",
        "number": "Número de tarjeta",
        "exp": "Vencimiento (MM/AA)",
        "cvc": "CVC",
        "name": "Nombre en la tarjeta",
        "zip": "Código postal",
        "back": "Volver",
        "over": "Esta página de pago ha vencido.",
        "done": "Este pago está completo.",
        "incomplete": "Los datos de su tarjeta están incompletos.",
        "secure": "Página de prueba. Hace de procesador de tarjetas, y no se mueve dinero.",
        "try": "Tarjetas para probar:",
        "good": "se paga",
        "declined": "se rechaza",
        "asks": "pregunta primero a su banco",
        "card_declined": "Su tarjeta fue rechazada.",
        "insufficient_funds": "Su tarjeta no tiene fondos suficientes.",
        "expired_card": "Su tarjeta está vencida.",
        "incorrect_cvc": "El código de seguridad de su tarjeta es incorrecto.",
        "confirm": "Su banco le pide que confirme este pago.",
        "confirm_setup": "Su banco le pide que confirme que se puede guardar esta tarjeta.",
        "yes": "Confirmar el pago",
        "yes_setup": "Confirmar",
        "no": "No confirmar",
        "setup": "Guardar una forma de pago",
        "save": "Guardar",
        "saved": "Ya está guardada.",
        "past": "La fecha de vencimiento de su tarjeta ya pasó.",
        "card": "Tarjeta",
        "bank": "Cuenta bancaria de EE. UU.",
        "routing": "Número de ruta",
        "account": "Número de cuenta",
        "holder": "Nombre en la cuenta",
        "bank_incomplete": "Los datos de su cuenta bancaria están incompletos.",
        "bank_unknown": "Esta página de prueba no conoce esa cuenta bancaria.",
        "agree": "Al continuar, usted permite cargos a esta cuenta bancaria.",
        "lost_card": "Su tarjeta fue rechazada.",
        "stolen_card": "Su tarjeta fue rechazada.",
        "comes_back": "se devuelve sin pagar",
    },
}
STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1.5rem 1rem;color:#1a1f36;"
    "background:#fff}"
    "h1{font-size:2.2rem;line-height:1.2;margin:.5rem 0 1.2rem}"
    "h1 span{display:block;font-size:1.05rem;font-weight:400;color:#4f566b}"
    "h2{font-size:1.15rem;margin:1.6rem 0 .6rem}"
    "label{display:block;margin:0 0 .9rem;font-size:1rem}"
    ".two{display:grid;grid-template-columns:1fr 1fr;gap:.8rem;align-items:end}"
    "input{display:block;width:100%;min-height:3rem;padding:.5rem .7rem;font:inherit;box-sizing:border-box;"
    "border:1.5px solid #6b7294;border-radius:.5rem;margin-top:.2rem}"
    "button{width:100%;min-height:3.2rem;padding:.7rem;font:inherit;font-weight:600;background:#3d3abf;color:#fff;"
    "border:2px solid #3d3abf;border-radius:.5rem;margin:.4rem 0}button+button{background:#fff;color:#3d3abf}"
    "a{color:#3d3abf}:focus-visible{outline:3px solid #3d3abf;outline-offset:3px}"
    "[role=alert]{color:#8f1d14;border:2px solid;border-radius:.5rem;padding:.6rem .9rem}"
    ".test{font-size:.95rem;color:#4f566b;border-top:1px solid #d5d8e4;margin-top:1.5rem}"
    ".test ul{padding-left:1.1rem;margin:.3rem 0}"
)
