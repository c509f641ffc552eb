# Sourced by the other scripts: where things are. Lua is found through PKG_CONFIG_PATH, ours before the system's.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CHAINRUN_CACHE=${CHAINRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chainrun}

# The folders carry a hash of the recipe, so that a changed recipe builds anew.
lua_recipe=$(cat "$root"/scripts/lua/{build,requirements.txt,*.patch} | git hash-object --stdin | cut -c 1-12)
lua_folder=$CHAINRUN_CACHE/lua-5.4.8-$lua_recipe
lua_address_folder=$CHAINRUN_CACHE/address-lua-5.4.8-$lua_recipe
peers_folder=$CHAINRUN_CACHE/peers-$(git hash-object --stdin <"$root/scripts/peers-requirements.txt" | cut -c 1-12)
language_server_folder=$CHAINRUN_CACHE/language-server-$(git hash-object --stdin <"$root/scripts/language-server-requirements.txt" | cut -c 1-12)
reference_folder=$CHAINRUN_CACHE/reference-$(git hash-object --stdin <"$root/scripts/reference-requirements.txt" | cut -c 1-12)
export CHAINRUN_REFERENCE=${CHAINRUN_REFERENCE:-$reference_folder/bin/python}
export CHAINRUN_LANGUAGE_SERVER=${CHAINRUN_LANGUAGE_SERVER:-$language_server_folder/emmylua_ls}
export PKG_CONFIG_PATH=$lua_folder/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}

# Makes a Python with the packages that a file pins by hash, once. It runs where it was made: a folder per recipe.
make_venv() { # FOLDER REQUIREMENTS
  [[ ! -e $1/complete ]] || return 0
  "$root/scripts/setup" --quiet --venv && python3 -m venv --clear "$1" \
    && "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$2" >&2 \
    && touch "$1/complete"
}

say() { printf '%s\n' "$*" >&2; }
