"""A system that nobody knows: 3D, three classes, an optional second image, no lesion."""

from PulsarCAMLib.core.inputs import DOSE, MRI, InputRole
from PulsarCAMLib.core.task import GIVEN, PATIENT, LabelRule, Task, TaskClass
from PulsarCAMLib.systems.maps.cams import GRADCAM
from PulsarCAMLib.systems.maps.gradients import SALIENCY
from PulsarCAMLib.systems.maps.occlusion import OCCLUSION
from PulsarCAMLib.systems.volumes.system import VolumeSystem


class Stranger(VolumeSystem):
    """Small, medium or large?"""

    name = "stranger"
    title = "Stranger"
    task = Task(
        name="size",
        title="Size of what is bright",
        classes=(
            TaskClass("small", "small", "little is bright", "#1b9e77"),
            TaskClass("medium", "medium", "some is bright", "#d95f02"),
            TaskClass("large", "large", "much is bright", "#7570b3"),
        ),
        positive="large",
        explained="large",
        unit=PATIENT,
        label=LabelRule(GIVEN, "size"),
    )
    inputs = (
        InputRole("flair", "FLAIR", MRI, "FLAIR MRI", column="flair"),
        InputRole("rtdose", "planned dose", DOSE, "planned dose in Gy", needed=False),
    )
    maps = (SALIENCY, GRADCAM, OCCLUSION)

    def network(self, architecture, preprocessing):
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.ReLU())
                self.head = nn.Linear(4, 3)

            def forward(self, images, masks):
                return self.head(self.features(images).mean(dim=(2, 3, 4)))

        return Net()

    def explained_layer(self, network):
        return network.features


STRANGER = Stranger()
