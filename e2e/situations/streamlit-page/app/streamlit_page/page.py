import streamlit as st
from streamlit_page.helper import WORD


@st.cache_data
def computed():
    return WORD * 2


st.markdown(f"hello {computed()} {__name__}")
with st.echo():
    st.markdown("echoed")
