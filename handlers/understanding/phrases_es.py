"""What people write in Spanish, by intent, without accents: words in this order, at most two others between."""

from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    "balance": (
        "saldo", "cuanto debo", "cuanto es", "que debo", "debo algo", "cuanto tengo que pagar", "cuanto me falta",
        "balance", "cuanto queda", "cuanto les debo", "cuanto le debo", "total a pagar", "mi deuda",
        "cuanto es mi cuenta", "cuanto hay que pagar", "cuanto falta", "mi cuenta cuanto", "todavia debo",
        "cuanto seria",
    ),
    "explain": (
        "por que", "porque debo", "por que debo", "porque", "por que tanto", "explique", "expliqueme", "explicame",
        "explicar", "de que es", "que es este cobro", "que es esta cuenta", "a que se debe", "desglose",
        "no entiendo la cuenta", "no entiendo la factura", "por que me cobran", "porque me cobran", "tan caro",
        "tan alto", "de donde sale", "que estoy pagando", "por que es tanto", "no entiendo el cobro",
        "para que es este cobro", "deducible", "que es el coseguro", "que es el copago",
    ),
    "due_date": (
        "fecha de pago", "cuando vence", "fecha limite", "hasta cuando", "cuando tengo que pagar", "vencimiento",
        "para cuando", "cuando debo pagar", "plazo para pagar", "fecha de vencimiento", "ultimo dia para pagar",
    ),
    "statement": (
        "estado", "estado de cuenta", "mi factura", "ver mi factura", "mandeme la factura", "ver mi cuenta",
        "copia de la factura", "envieme la cuenta", "mandeme la cuenta", "copia de mi cuenta", "factura",
        "recibir la factura", "recibo de cobro",
    ),
    "itemised_bill": (
        "detallada", "cuenta detallada", "factura detallada", "linea por linea", "cada cargo", "lista de cargos",
        "todos los cargos", "detalle de los cargos", "itemizada", "desglosada", "detalle de la cuenta",
    ),
    "insurance_status": (
        "seguro pago", "ya pago el seguro", "pago mi seguro", "mi seguro pago", "aseguranza pago",
        "pago la aseguranza", "estado del seguro", "el seguro cubre", "seguro cubrio", "respondio el seguro",
        "reclamo", "mandaron al seguro", "cobraron al seguro", "seguro nego", "que dice el seguro",
        "mi seguro deberia", "seguro no pago", "cubre mi seguro", "esperando al seguro", "enviaron al seguro",
        "aseguranza cubrio", "cubre la aseguranza", "que paso con el seguro", "medicaid pago", "medicare pago",
    ),
    "pay": (
        "pagar", "quiero pagar", "pagar ahora", "hacer un pago", "como pago", "donde pago", "enlace para pagar",
        "pago", "voy a pagar", "puedo pagar", "pagar mi cuenta", "mande el enlace", "liquidar", "abonar",
        "pagar una parte", "pagar la factura", "dar un abono", "pagar en linea", "cancelar mi cuenta",
        "cancelar la deuda", "pagarles", "link para pagar",
    ),
    "minimum_payment": (
        "minimo", "pago minimo", "lo menos que puedo pagar", "minimo que puedo pagar", "cantidad minima",
    ),
    "plan": (
        "plan de pagos", "en cuotas", "a plazos", "en pagos", "mensualidades", "pagos mensuales",
        "pagar poco a poco", "al mes", "por mes", "cada mes", "pagar en partes", "plan", "facilidades de pago",
        "pagitos", "pagar por semana", "arreglo de pago",
    ),
    "receipt": (
        "recibo", "comprobante", "recibieron mi pago", "comprobante de pago", "llego mi pago", "paso mi pago",
        "recibo de pago", "se hizo el pago", "confirmacion de pago", "prueba de pago",
    ),
    "already_paid": (
        "ya pague", "ya lo pague", "ya la pague", "pague la semana", "pague el mes", "ya esta pagado",
        "ya esta pagada", "ya habia pagado", "ya hice el pago", "pague en la oficina", "mande un cheque",
        "pague todo", "pague el copago", "yo pague", "eso ya se pago", "ya se pago", "pague cuando fui",
        "ya pagamos", "i paid", "pague esto", "lo pague",
    ),
    "refund_status": (
        "reembolso", "devolucion", "devolver mi dinero", "me devuelven", "pague de mas", "pague dos veces",
        "me cobraron dos veces", "cobro doble", "regresen mi dinero", "devuelvan",
    ),
    "dispute": (
        "disputa", "esta mal", "esta equivocada la cuenta", "error en la cuenta", "error en la factura",
        "no es correcto", "nunca fui", "no estoy de acuerdo", "no reconozco", "cobro equivocado", "no debo",
        "no debo eso", "no me hicieron", "no es mi cuenta", "cobraron de mas", "reclamar", "incorrecto",
        "no voy a pagar", "me niego", "esto no es mio", "fraude", "cobro indebido", "hay un error", "disputar",
        "nunca recibi", "no es justo",
    ),
    "insurance_update": (
        "seguro nuevo", "nuevo seguro", "cambie de seguro", "otro seguro", "cambio de seguro", "tengo seguro",
        "nueva aseguranza", "otra aseguranza", "tengo medicaid", "tengo medicare", "actualizar seguro",
        "seguro equivocado", "tarjeta del seguro", "segundo seguro", "mi seguro es", "cambie de aseguranza",
        "tengo aseguranza", "seguro", "aseguranza", "seguro secundario",
    ),
    "cannot_pay": (
        "no puedo pagar", "no tengo dinero", "no me alcanza", "perdi mi trabajo", "perdi el trabajo", "sin trabajo",
        "ayuda financiera", "ayuda para pagar", "asistencia financiera", "no tengo como pagar", "es mucho dinero",
        "desempleado", "desempleada", "muy caro para mi", "bajos ingresos", "descuento", "no tengo para pagar",
        "no puedo con", "estoy corto", "caridad", "asistencia", "ayuda con la cuenta", "no tengo trabajo",
        "no puedo pagarlo",
    ),
    "saved_card": (
        "guardar mi tarjeta", "tarjeta guardada", "pago automatico", "pagos automaticos", "quitar mi tarjeta",
        "cambiar mi tarjeta", "tarjeta nueva", "cargo automatico", "actualizar tarjeta",
    ),
    "deceased": (
        "fallecio", "murio", "fallecido", "fallecida", "difunto", "difunta", "muerto", "muerta", "ya no vive",
        "funeral",
    ),
    "bankrupt": (
        "bancarrota", "quiebra", "capitulo 7", "capitulo 13",
    ),
    "attorney": (
        "abogado", "abogada", "mi abogado", "demanda", "demandar", "los voy a demandar", "bufete",
    ),
    "preferences": (
        "no me escriban en la noche", "escribame despues", "escriban despues de", "por correo", "mejor por correo",
        "mejor llamen", "cambie de numero", "numero nuevo", "nuevo numero", "preferencias", "por la manana",
        "solo los fines", "otro telefono", "cantidades por texto",
    ),
    "language": (
        "espanol", "en espanol", "habla espanol", "ingles", "en ingles", "cambiar idioma", "idioma",
        "hablan espanol", "otro idioma", "cambiar el idioma",
    ),
    "capabilities": (
        "que puede hacer", "que puedes hacer", "como funciona", "opciones", "menu", "que puedo preguntar",
        "ayudeme", "ayudame", "necesito ayuda", "me puede ayudar", "me ayuda", "tengo una pregunta", "pregunta",
        "una duda", "como se usa",
    ),
    "is_this_real": (
        "es real", "estafa", "es verdad", "es fraude", "es confiable", "quien es", "quienes son",
        "quien me escribe", "quien habla", "como se que", "es seguro esto", "por que necesita mi",
        "para que necesita", "para que quieren mi", "de donde sacaron mi", "es una estafa", "es falso",
        "es legitimo", "porque necesitan mi", "por que necesitan mi", "quien eres",
    ),
    "are_you_a_robot": (
        "es un robot", "robot", "eres un robot", "eres humano", "es una maquina", "maquina", "bot",
        "es usted una persona", "eres una persona", "hablo con una persona", "es una persona", "computadora",
        "persona real o", "es usted humano", "eres un bot", "estoy hablando con",
    ),
    "greeting": (
        "hola", "buenos dias", "buenas tardes", "buenas noches", "buenas", "que tal", "saludos", "buen dia", "holi",
    ),
    "thanks": (
        "gracias", "muchas gracias", "mil gracias", "le agradezco", "muy amable", "se lo agradezco", "grax",
    ),
    "goodbye": (
        "adios", "hasta luego", "nos vemos", "que tenga buen dia", "bye", "chao", "hasta pronto", "hasta manana",
        "chau",
    ),
    "back": (
        "volver", "atras", "regresar", "olvidelo", "dejelo", "olvidalo", "ir atras", "menu principal", "no importa",
        "empezar de nuevo", "mejor no", "cambie de opinion", "anterior", "regresa", "vuelve", "para atras",
    ),
    "repeat": (
        "repita", "repite", "otra vez", "que dijo", "de nuevo", "mande otra vez", "repetir", "como dijo",
        "no escuche", "puede repetir",
    ),
    "medical": (
        "sintomas", "fiebre", "receta", "medicina", "medicamento", "resultados", "analisis", "me duele",
        "embarazada", "infeccion", "dosis", "efectos secundarios", "enfermo", "enferma", "dolor", "vacuna",
        "presion alta", "es normal",
    ),
    "out_of_scope": (
        "clima", "tiempo hace", "chiste", "noticias", "cita", "cambiar la cita", "direccion", "receta de cocina",
        "cancion", "pelicula", "restaurante", "futbol", "vuelo", "hotel", "traducir", "pizza", "luz",
        "cuenta de la luz", "agua", "factura del agua", "prestamo", "hipoteca", "seguro del carro",
        "seguro de auto", "banco", "transferir", "alarma", "musica", "horoscopo", "cuenta de mi hermana",
        "cuenta del vecino", "estacionamiento",
    ),
}
