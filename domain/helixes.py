"""The quadruple helix: its four groups and the 17 target groups of Jems that map to them.

Jems is Interreg's joint monitoring system; its target-group list is what progress reports count by.
"""

from enum import StrEnum


class HelixGroup(StrEnum):
    """One of the four strands; None elsewhere means "prefer not to say" or "other"."""

    ACADEMIA = "academia"
    BUSINESS = "business"
    GOVERNMENT = "government"
    CIVIL_SOCIETY = "civil_society"


class TargetGroup(StrEnum):
    """A target group of Jems."""

    LOCAL_PUBLIC_AUTHORITY = "local_public_authority"
    REGIONAL_PUBLIC_AUTHORITY = "regional_public_authority"
    NATIONAL_PUBLIC_AUTHORITY = "national_public_authority"
    SECTORAL_AGENCY = "sectoral_agency"
    INFRASTRUCTURE_AND_SERVICE_PROVIDER = "infrastructure_and_service_provider"
    INTEREST_GROUP = "interest_group"
    HIGHER_EDUCATION_AND_RESEARCH = "higher_education_and_research"
    EDUCATION_AND_TRAINING = "education_and_training"
    ENTERPRISE_EXCEPT_SME = "enterprise_except_sme"
    SME = "sme"
    BUSINESS_SUPPORT_ORGANISATION = "business_support_organisation"
    EGTC = "egtc"
    INTERNATIONAL_ORGANISATION_EEIG = "international_organisation_eeig"
    GENERAL_PUBLIC = "general_public"
    HOSPITAL = "hospital"
    CROSS_BORDER_LEGAL_BODY = "cross_border_legal_body"
    OTHER = "other"

    @property
    def helix_group(self) -> HelixGroup | None:
        """The helix group that this target group counts for; None for `other`."""
        return next((group for group, members in _MEMBERS.items() if self in members), None)


_MEMBERS: dict[HelixGroup, frozenset[TargetGroup]] = {
    HelixGroup.ACADEMIA: frozenset(
        {TargetGroup.HIGHER_EDUCATION_AND_RESEARCH, TargetGroup.EDUCATION_AND_TRAINING}
    ),
    HelixGroup.BUSINESS: frozenset(
        {
            TargetGroup.ENTERPRISE_EXCEPT_SME,
            TargetGroup.SME,
            TargetGroup.BUSINESS_SUPPORT_ORGANISATION,
        }
    ),
    HelixGroup.CIVIL_SOCIETY: frozenset({TargetGroup.INTEREST_GROUP, TargetGroup.GENERAL_PUBLIC}),
    HelixGroup.GOVERNMENT: frozenset(
        {
            TargetGroup.LOCAL_PUBLIC_AUTHORITY,
            TargetGroup.REGIONAL_PUBLIC_AUTHORITY,
            TargetGroup.NATIONAL_PUBLIC_AUTHORITY,
            TargetGroup.SECTORAL_AGENCY,
            TargetGroup.INFRASTRUCTURE_AND_SERVICE_PROVIDER,
            TargetGroup.EGTC,
            TargetGroup.INTERNATIONAL_ORGANISATION_EEIG,
            TargetGroup.HOSPITAL,
            TargetGroup.CROSS_BORDER_LEGAL_BODY,
        }
    ),
}
