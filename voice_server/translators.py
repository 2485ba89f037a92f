"""Translators made of a shop's names and a language model."""

from __future__ import annotations

from voice_server.desk.translation import Translator
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.translation import ModelTranslate
from voice_server.shop.shop import Shop

CAPTION_S = 8.0
"""A caption that takes longer comes after its sentence: it is left as spoken."""


def caption_translator(shop: Shop, model: LanguageModel | None) -> Translator | None:
    """Return what translates captions, prices and names untouched; None without a model.

    None for the model on this machine, too: its ten tokens a second come from the cores that the
    presenter's voice needs, and a caption would be there when its sentence is long over (on two
    busy cores those we saw did not come within 8 s).
    """
    if model is None or model.embedded:
        return None
    own = shop.default_language
    return Translator(
        ModelTranslate(model),
        internal_language=own,
        # A product's name in the other language is the shop's, not the model's.
        glossary={
            product.text(own).name: {
                language: product.text(language).name for language in shop.languages
            }
            for product in shop.catalogue
        },
        names=(shop.name, *(product.model for product in shop.catalogue if product.model)),
        deadline_s=CAPTION_S,
    )
