"""Take a tree of files over into the policy, and write the policy out as such a tree (CONTRACT 7)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.desk.desk import Desk
from gatepost.desk.domains import check_route
from gatepost.desk.errors import DeskError
from gatepost.desk.left_behind import alone, make_way
from gatepost.desk.scopes import hosted
from gatepost.desk.srv_names import BadName
from gatepost.desk.srv_read import GLOBAL, DomainReader, read_blacklist_d
from gatepost.desk.srv_tree import Problem, Tree
from gatepost.desk.srv_write import files_of, write_files
from gatepost.store.base import StoreError
from gatepost.store.policy_files import Key, bring, rows_of
from gatepost.store.scopes import EVERYWHERE, domain_name


@dataclass(slots=True)
class Carried:
    """What one import or export did."""

    domains: dict[str, int] = field(default_factory=dict)
    """Domain (`*`: all domains) -> rows that were new or different, or files written."""
    hosted: list[str] = field(default_factory=list)
    """Domains that were not hosted before."""
    problems: list[Problem] = field(default_factory=list)


def import_tree(
    desk: Desk, top: Path, *, route: str = "", blacklist_d: Path | None = None, dry_run: bool = False
) -> Carried:
    """Take over a tree: rows are added and replaced, none removed. `route`: of domains that are new."""
    if route:
        check_route(desk, route)
    for place in (top, blacklist_d):
        if place is not None and not place.is_dir():
            raise DeskError(f"{place}: there is no such folder")
    tree = Tree(top)
    done = Carried(problems=tree.problems)
    folders = domain_folders(tree)
    if not folders:
        raise DeskError(f"{top}: there is no domain in it, and no {GLOBAL}")
    for domain, folder in folders.items():
        rows = DomainReader(tree, domain, folder, desk.registry.defaults()).read()
        if domain != EVERYWHERE and desk.policy.domain(domain) is None:
            if not with_route(desk, rows, route):
                tree.tell(folder, "a new domain needs a route: --route URL, or route=[...] in its settings")
                continue
            done.hosted.append(domain)
        done.domains[domain] = bring_rows(desk, domain, rows, dry_run)
    if blacklist_d is not None:
        shared = Tree(blacklist_d)
        rows = {}
        read_blacklist_d(shared, rows)
        done.domains[EVERYWHERE] = done.domains.get(EVERYWHERE, 0) + bring_rows(
            desk, EVERYWHERE, rows, dry_run
        )
        done.problems += shared.problems
    return done


def export_tree(desk: Desk, top: Path, domains: Iterable[str] = ()) -> Carried:
    """Write the policy (of some domains, or of all with what holds for all) into a new or empty folder."""
    if top.exists() and any(top.iterdir()):
        raise DeskError(f"{top} is not empty")
    named = [hosted(desk, name) for name in domains]
    done = Carried()
    for domain in named or [EVERYWHERE, *desk.policy.domains()]:
        rows = rows_of(desk.policy, domain)
        try:
            files = files_of(domain, rows)
        except BadName as error:
            done.problems.append(Problem(domain, str(error)))
            continue
        done.domains[domain] = write_files(top, files)
    return done


def domain_folders(tree: Tree) -> dict[str, Path]:
    """Return domain -> folder of a tree's top, `*` for what holds for all; OSError if it cannot be read."""
    found = {}
    for name, place, is_folder in tree.names(tree.top):
        if not is_folder:
            continue
        if name == GLOBAL:
            found[EVERYWHERE] = place
            continue
        try:
            found[domain_name(name)] = place
        except StoreError as error:
            tree.tell(place, str(error))
    return found


def with_route(desk: Desk, rows: dict[Key, object], route: str) -> bool:
    """Give a new domain's rows the route, if they say none themselves; False if there is none."""
    key = ("setting", "", "route")
    if key not in rows and route:
        rows[key] = [route]
    said = rows.get(key)
    if not isinstance(said, list) or not said:
        return False
    for one in said:
        check_route(desk, str(one))
    return True


def bring_rows(desk: Desk, domain: str, rows: dict[Key, object], dry_run: bool) -> int:
    """Write rows of a domain, or only count those that are new or different."""
    if dry_run:
        present = rows_of(desk.policy, domain)
        return sum(key not in present or present[key] != value for key, value in rows.items())
    with alone(desk) if domain != EVERYWHERE else nullcontext():
        if domain != EVERYWHERE and desk.policy.domain(domain) is None:
            make_way(desk, domain, anew=None)
        done = bring(desk.policy, domain, rows, desk.by)
    return done.added + done.replaced
