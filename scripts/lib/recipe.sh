# What a part is made of, and whether it is there already.
#
# A part is a folder in `parts/`. Its file `part.sh` names the image it makes (none: files only) and the
# parts it is built from. `outputs DIR` makes the files that need no engine, `Dockerfile` or `image`
# puts them into an image. A part's hash covers its folder and the hashes of all it is built from,
# so a change anywhere below makes everything above it anew and nothing else.
# shellcheck shell=bash

PARTS=$SCRIPTS/parts
RECIPE_LABEL=no.altinn.local.recipe

# Sets `part_image` and `part_built_from`.
read_part() {
  local image='' built_from=()
  [ -f "$PARTS/$1/part.sh" ] || die "there is no part named '$1'" "\`ls $PARTS\` lists them"
  # shellcheck source=/dev/null
  source "$PARTS/$1/part.sh"
  part_image=$image part_built_from=("${built_from[@]}")
}

declare -A known_recipe_hashes=()

# Into $recipe, not to the output: a subshell would forget what was learned.
recipe_hash() {
  local part=$1 below='' lower
  recipe=${known_recipe_hashes[$part]:-}
  if [ -n "$recipe" ]; then return; fi
  read_part "$part"
  for lower in "${part_built_from[@]}"; do
    recipe_hash "$lower"
    below+="$lower $recipe "
  done
  recipe=$(
    cd "$PARTS/$part" || exit
    { echo "$below"; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -d' ' -f1
  )
  known_recipe_hashes[$part]=$recipe
}

outputs_of() { recipe_hash "$1" && outputs=$PARTS_CACHE/$1-${recipe:0:16}; }

image_recipe() { docker image inspect --format "{{index .Config.Labels \"$RECIPE_LABEL\"}}" "$1" 2>/dev/null || true; }

# Whether nothing has to be done for a part, nor for what it is built from.
part_is_there() {
  recipe_hash "$1"
  local hash=$recipe
  read_part "$1"
  if [ -n "$part_image" ]; then
    [ "$(image_recipe "$part_image")" = "$hash" ]
  else
    outputs_of "$1" && [ -d "$outputs" ]
  fi
}
