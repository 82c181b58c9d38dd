"""The Streamlit app: page set-up and the choice of the page, nothing else."""

from __future__ import annotations

import streamlit as st

from archive.errors import BackchannelError
from views import PAGES, components, settings, style


def choose() -> str:
    """The page that the address names, and the control that changes it; ``?page=archive`` is a link."""
    asked = st.query_params.get("page", "")
    asked = asked if asked in PAGES else next(iter(PAGES))
    if st.session_state.get("asked") != asked:
        st.session_state["asked"] = st.session_state["page"] = asked
    with st.container(key="nav"):
        st.segmented_control(
            "Page",
            list(PAGES),
            format_func=lambda name: PAGES[name].title,
            required=True,
            key="page",
            on_change=lambda: st.query_params.update(page=st.session_state["page"]),
            label_visibility="collapsed",
        )
    return asked


st.set_page_config(page_title="Backchannel", layout="wide", initial_sidebar_state="collapsed")
style.apply()
page = PAGES[choose()]
try:
    page.draw(settings.archive_path())
except BackchannelError as error:
    components.message("This page cannot be shown", [str(error)])
