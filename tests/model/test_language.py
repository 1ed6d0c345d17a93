"""Languages are guessed well enough to sort traffic by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.language import guess_language

TEXTS = {
    "en": "What is the status of my order and how do I return it?",
    "de": "Wie ist der Stand meiner Bestellung und wo finde ich die Rechnung?",
    "fr": "Je voudrais savoir où est la commande que je vous ai passée pour le bureau.",
    "es": "Quiero saber dónde está el paquete que compré para la oficina.",
    "pt": "Gostaria de saber como você faz para devolver uma encomenda que não chegou.",
    "it": "Vorrei sapere come posso restituire il pacco che non è arrivato per la ditta.",
    "nl": "Waar is het pakket dat ik voor de zaak heb besteld en hoe kan ik het retour sturen?",
    "cs": "Kde je moje objednávka a jak se na ni mohu zeptat, pro jistotu?",
    "pl": "Gdzie jest moja paczka i jak mogę ją zwrócić, czy to jest możliwe do jutra?",
    "sv": "Var är mitt paket och hur kan jag få det hem till en annan adress?",
    "tr": "Siparişim nerede ve bu paket için ne yapmam gerekiyor, nasıl iade ederim?",
    "cyrillic": "Где мой заказ и как его вернуть?",
    "greek": "Πού είναι η παραγγελία μου;",
    "arabic": "أين طلبي وكيف أعيده؟",
    "hebrew": "איפה ההזמנה שלי?",
    "japanese": "注文はどこですか。返品したいです。",
    "han": "我的订单在哪里？怎么退货？",
    "korean": "제 주문은 어디에 있나요?",
    "thai": "คำสั่งซื้อของฉันอยู่ที่ไหน",
    "devanagari": "मेरा ऑर्डर कहाँ है?",
    "other": "ჩემი შეკვეთა სად არის?",
    "latin": "Lorem ipsum dolor",
    "none": "12 + 30 = ?",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_sorted_by_its_language(language: str) -> None:
    assert guess_language(TEXTS[language]) == language


def test_a_few_foreign_words_do_not_decide() -> None:
    assert guess_language(TEXTS["cyrillic"] + " iPhone") == "cyrillic"
    assert guess_language(TEXTS["en"] + " 東京") == "en"
    assert guess_language("") == "none"


@given(text=st.text())
def test_any_text_has_one(text: str) -> None:
    assert guess_language(text)
