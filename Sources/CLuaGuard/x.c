int clg_placeholder;
