"""Units of measure: is a code one that UCUM can read?

What lives here: the grammar of UCUM's case-sensitive codes, with the symbols of its units and prefixes. What does
not: converting between units, and comparing amounts (:mod:`referral_hub.fhir.fhirpath.comparison`).

Source: The Unified Code for Units of Measure, section 2 (grammar) and its tables; FHIR R4 ``datatypes.html#Quantity``.
"""

import re
from collections.abc import Callable
from functools import lru_cache

UCUM = "http://unitsofmeasure.org"
LONGEST = 200
"""The most characters of a code that are read; a longer one is none."""

_PREFIXES = "Q R Y Z E P T G M k h da d c m u n p f a z y r q Ki Mi Gi Ti"
_METRIC = """
    m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc [c] [h] [k]
    [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] gf Ky Gal dyn erg P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD REM
    cal_[15] cal_[20] cal_m cal_IT cal_th cal tex m[H2O] m[Hg] eq osm g% kat U [iU] [IU] Np B B[SPL] B[V] B[mV]
    B[uV] B[10.nV] B[W] B[kW] st mho bit By Bd [m/s2/Hz^0.5]
"""
_OTHERS = """
    10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU atm [lbf_av]
    [in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] [cin_i] [cft_i] [cyd_i] [bf_i] [cr_i]
    [mil_i] [cml_i] [hd_i] [ft_us] [yd_us] [in_us] [rd_us] [ch_us] [lk_us] [rch_us] [rlk_us] [fth_us] [fur_us]
    [mi_us] [acr_us] [srd_us] [smi_us] [sct] [twp] [mil_us] [in_br] [ft_br] [rd_br] [ch_br] [lk_br] [fth_br] [pc_br]
    [yd_br] [mi_br] [nmi_br] [kn_br] [acr_br] [gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] [min_us]
    [crd_us] [bu_us] [gal_wi] [pk_us] [dqt_us] [dpt_us] [tbs_us] [tsp_us] [cup_us] [foz_m] [cup_m] [tsp_m] [tbs_m]
    [gal_br] [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] [fdr_br] [min_br] [gr] [lb_av] [oz_av] [dr_av]
    [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] [oz_tr] [lb_tr] [sc_ap] [dr_ap] [oz_ap] [lb_ap]
    [oz_m] [lne] [pnt] [pca] [pnt_pr] [pca_pr] [pied] [pouce] [ligne] [didot] [cicero] [degF] [degR] [degRe] [Cal]
    [Btu_39] [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] [HP] [den] [in_i'H2O] [in_i'Hg] [PRU] [wood'U] [diop]
    [p'diop] %[slope] [mesh_i] [Ch] [drp] [hnsf'U] [MET] [hp'_X] [hp'_C] [hp'_M] [hp'_Q] [hp_X] [hp_C] [hp_M] [hp_Q]
    [kp_X] [kp_C] [kp_M] [kp_Q] [pH] [S] [HPF] [LPF] [arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [anti'Xa'U]
    [todd'U] [dye'U] [smgy'U] [bdsk'U] [ka'U] [knk'U] [mclg'U] [tb'U] [CCID_50] [TCID_50] [EID_50] [PFU] [FFU] [CFU]
    [IR] [BAU] [AU] [Amb'a'1'U] [PNU] [Lf] [D'ag'U] [FEU] [ELU] [EU] [NTU] [FNU] Ao b att [psi] circ sph [car_m]
    [car_Au] [smoot] bit_s
"""


def _either(words: str) -> str:
    return "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True))


_SYMBOL = r"[!-'*-\-0-Z\\^-z|~]*(?:\[[!-Z^-~]+\][!-'*-\-0-Z\\^-z|~]*)*"
_UNIT = rf"(?:(?:{_either(_PREFIXES)})?(?:{_either(_METRIC)})|(?:{_either(_OTHERS)}))(?:[+-]?[0-9]+)?"
_REMARK = r"\{[!-z|~]*\}"
_PART = rf"(?:{_UNIT}(?:{_REMARK})?|{_REMARK}|[0-9]+)"
_is_term = re.compile(rf"/?{_PART}(?:[./]{_PART})*").fullmatch
_WORD = rf"(?:(?=[^./({{]){_SYMBOL}(?:{_REMARK})?|{_REMARK})"
_is_sentence = re.compile(rf"/?{_WORD}(?:[./]{_WORD})*").fullmatch
_INNERMOST = re.compile(r"\(([^(){}]*(?:\{[^{}]*\}[^(){}]*)*)\)")


@lru_cache(maxsize=1024)
def is_unit(code: str) -> bool:
    """Says whether a code is one of UCUM's: units, prefixes, powers, products and remarks in braces.

    >>> [is_unit(code) for code in ("mm[Hg]", "10*9/L", "{score}", "kg.m/s2", "/min", "banana", "mmHg")]
    [True, True, True, True, True, False, False]
    """
    return _is_read(code, _is_term)


@lru_cache(maxsize=1024)
def is_written(code: str) -> bool:
    """Says whether a code is at least written as UCUM writes codes, with symbols that UCUM need not know.

    >>> [is_written(code) for code in ("mg/dL", "mcg", "mg / dL", "mg//dL", "(mg")]
    [True, True, False, False, False]
    """
    return _is_read(code, _is_sentence)


def _is_read(code: str, is_term: Callable[[str], object]) -> bool:
    if len(code) > LONGEST:
        return False
    while (group := _INNERMOST.search(code)) is not None:
        if not is_term(group[1]):
            return False
        # What is in brackets is sound; outside them it counts like a number.
        code = f"{code[: group.start()]}1{code[group.end() :]}"
    return bool(is_term(code))
