"""The demo's pictures: made the same way every time, whole, and told apart."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from config.seeds.canvas import path_points, shade
from config.seeds.drawing import ARTS, PLANTS, SCENES, draw, draw_scene

LISTINGS = Path(__file__).parents[2] / "config" / "seeds" / "content" / "listings.toml"


def _opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image


def _colours(image: Image.Image) -> int:
    return len(image.resize((90, 90)).getcolors(8100) or [])


@pytest.mark.parametrize("art", ARTS)
def test_every_art_is_a_jpeg_of_900_pixels_a_side_with_something_on_it(art: str) -> None:
    image = _opened(draw(art, 200, 1))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (900, 900))
    assert _colours(image) > 1000


@pytest.mark.parametrize("kind", SCENES)
def test_every_scene_is_a_jpeg_of_900_pixels_a_side_with_something_on_it(kind: str) -> None:
    image = _opened(draw_scene(kind, 1))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (900, 900))
    assert _colours(image) > 1000


@pytest.mark.parametrize("art", ARTS)
def test_the_same_arguments_draw_the_same_bytes(art: str) -> None:
    assert draw(art, 24, 5) == draw(art, 24, 5)


@pytest.mark.parametrize("art", ARTS)
def test_three_seeds_of_one_art_draw_three_pictures(art: str) -> None:
    assert len({draw(art, 24, seed) for seed in range(3)}) == 3


def test_each_plant_can_be_asked_for_by_name() -> None:
    assert len({draw(f"plant:{kind}", 140, 0) for kind in PLANTS}) == 10


def test_the_hue_leads_the_backdrop() -> None:
    red = _opened(draw("lens", 0, 1)).getpixel((880, 20))
    blue = _opened(draw("lens", 240, 1)).getpixel((880, 20))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > red[2]
    assert blue[2] > blue[0]


def test_an_art_nobody_drew_is_refused() -> None:
    with pytest.raises(KeyError):
        draw("submarine", 10, 0)


def test_every_listing_of_the_seeds_names_an_art_that_can_be_drawn() -> None:
    listings = tomllib.loads(LISTINGS.read_text())["listings"]
    assert {listing["art"].partition(":")[0] for listing in listings} <= set(ARTS)


def test_a_colour_without_chroma_is_a_grey_and_ends_are_black_and_white() -> None:
    assert shade(0.0, 0.0, 0.0) == "#000000ff"
    assert shade(1.0, 0.0, 0.0) == "#ffffffff"
    assert shade(0.5, 0.0, 120.0)[1:3] == shade(0.5, 0.0, 120.0)[5:7]


def test_paths_follow_relative_and_smooth_commands() -> None:
    [line] = path_points("M10 10 h5 v5 l-5 0 Z")
    assert line == ((10.0, 10.0), (15.0, 10.0), (15.0, 15.0), (10.0, 15.0))
    [wave] = path_points("M0 0 Q5 10 10 0 T20 0")
    assert wave[-1] == pytest.approx((20.0, 0.0))
    assert min(y for _, y in wave) == pytest.approx(-5.0)
